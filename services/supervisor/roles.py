"""Which services one process runs. A process is named after a role, or after a single service of the actors."""

from services.secrets import NatsUser

ACTORS = ("signals", "intake", "incidents", "oncall", "notifier", "heartbeats", "history")
"""Services that write facts. They may also run one a process, and in any number of copies."""
READERS = ("projector", "web", "pgwire")
"""The projector is the only opener of its DuckDB file; the web and SQL read it, so they share a process."""

ROLES: dict[str, tuple[str, ...]] = {
    "actors": ACTORS,
    "readers": READERS,
    **{service: (service,) for service in ACTORS},
}

# Set by the supervisor: stderr is a terminal that other processes share.
SUPERVISED_VARIABLE = "RECOUNT_SUPERVISED"


def user_of(process: str) -> NatsUser:
    """As whom a process speaks to the embedded server."""
    return "readers" if process == "readers" else "actors"
