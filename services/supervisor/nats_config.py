"""The configuration of the embedded NATS server: durability, limits, and who may write what.

Users of the account RECOUNT: *admin* declares streams and is used by nobody else; *actors* write facts; *readers* read
them and send commands. No service user may delete, update or purge a stream that holds history: their lists name what
is allowed, and the rest is refused. The *producer* lives in an account of its own that sees nothing but a service
import of ``intake.*``, so even its inbox is apart: it cannot read what others are answered.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import msgspec

from events.nats_streams import EVENTS, INTAKE, INTAKE_SUBJECT_ROOT, TIMER_SET_ROOT, TIMERS
from services.command import COMMAND_ROOT
from services.secrets import NatsUser

# The default of most servers and clusters. Intake takes bodies of up to 960 KiB, which leaves room for headers.
PAYLOAD_BYTES_MAX = 1024 * 1024
# For consumers without a disk (followers of the log); their state is a few hundred bytes each.
MEMORY_STORE_BYTES_MAX = 256 * 1024 * 1024
LOG_FILE_BYTES_MAX = 10 * 1024 * 1024
LOG_FILES_MAX = 3

Subjects = tuple[str, ...]

_INBOXES = "_INBOX.>"
_ASK_ABOUT_STREAMS = (
    "$JS.API.INFO",
    "$JS.API.STREAM.NAMES",
    "$JS.API.STREAM.LIST",
    "$JS.API.STREAM.INFO.*",
    "$JS.API.STREAM.MSG.GET.*",
    "$JS.API.DIRECT.GET.>",
    "$JS.API.CONSUMER.NAMES.*",
    "$JS.API.CONSUMER.LIST.*",
    "$JS.API.CONSUMER.INFO.>",
)

ACTORS_PUBLISH = (
    "evt.>",
    f"{INTAKE_SUBJECT_ROOT}.>",
    f"{COMMAND_ROOT}.>",
    f"{TIMER_SET_ROOT}.>",
    _INBOXES,  # answers to commands
    *_ASK_ABOUT_STREAMS,
    "$JS.API.CONSUMER.CREATE.>",
    "$JS.API.CONSUMER.DURABLE.CREATE.>",
    "$JS.API.CONSUMER.MSG.NEXT.>",
    "$JS.ACK.>",
    f"$JS.API.STREAM.PURGE.{TIMERS}",  # cancelling a timer purges its subject (ADR-51)
)
ACTORS_SUBSCRIBE = (_INBOXES, f"{COMMAND_ROOT}.>", "evt.>", f"{INTAKE_SUBJECT_ROOT}.>")

READERS_PUBLISH = (
    f"{COMMAND_ROOT}.>",
    "evt.system.>",  # that they started and stopped; everything else they ask of an actor
    *_ASK_ABOUT_STREAMS,
    # Followers. A request may name an existing consumer in its body, so this trusts readers not to change a service's.
    f"$JS.API.CONSUMER.CREATE.{EVENTS}",
    f"$JS.API.CONSUMER.MSG.NEXT.{EVENTS}.>",
    f"$JS.ACK.{EVENTS}.>",
)
READERS_SUBSCRIBE = (_INBOXES, "evt.>")

PRODUCER_PUBLISH = (f"{INTAKE_SUBJECT_ROOT}.*",)
PRODUCER_SUBSCRIBE = (_INBOXES,)

HISTORY_STREAMS = (EVENTS, INTAKE)
"""Streams that no service user may delete, update or purge."""


class NatsOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What differs between installations."""

    folder: Path
    """Where the server keeps its streams, pid file and log."""
    host: str = "127.0.0.1"
    port: int = 4222
    monitor_port: int = 0
    """Port of the server's own health check (``/healthz``); 0: none."""
    file_store_bytes_max: int
    log_file: Path | None = None
    """None: the server logs to standard error, as containers want it."""
    pid_file: Path | None = None
    passwords: Mapping[NatsUser, str] | None = None
    """None: no users and no permissions; for tests."""


def render_config(options: NatsOptions) -> str:
    """The server's configuration file. It holds passwords: write it with mode 0600."""
    lines = [
        "# Written by Recount at each start; changes are lost.",
        "server_name: recount",
        f"listen: {_quoted(f'{options.host}:{options.port}')}",
        f"max_payload: {PAYLOAD_BYTES_MAX}",
        "jetstream {",
        f"  store_dir: {_quoted(str(options.folder.absolute()))}",
        f"  max_file_store: {options.file_store_bytes_max}",
        f"  max_memory_store: {MEMORY_STORE_BYTES_MAX}",
        "  # Otherwise a write is acknowledged up to two minutes before it is on disk.",
        "  sync_interval: always",
        "}",
    ]
    if options.monitor_port:
        lines.append(f"http: {_quoted(f'{options.host}:{options.monitor_port}')}")
    if options.pid_file:
        lines.append(f"pid_file: {_quoted(str(options.pid_file.absolute()))}")
    if options.log_file:
        lines += [
            f"log_file: {_quoted(str(options.log_file.absolute()))}",
            f"logfile_size_limit: {LOG_FILE_BYTES_MAX}",
            f"logfile_max_num: {LOG_FILES_MAX}",
        ]
    if options.passwords:
        lines += _accounts(options.passwords)
    return "\n".join(lines) + "\n"


def _accounts(passwords: Mapping[NatsUser, str]) -> list[str]:
    intake = _quoted(f"{INTAKE_SUBJECT_ROOT}.*")
    return [
        "accounts {",
        "  RECOUNT {",
        "    jetstream: enabled",
        f"    exports: [ {{ service: {intake}, accounts: [PRODUCERS] }} ]",
        "    users: [",
        f"      {{ user: admin, password: {_quoted(passwords['admin'])} }}",
        *_user("actors", passwords["actors"], ACTORS_PUBLISH, ACTORS_SUBSCRIBE),
        *_user("readers", passwords["readers"], READERS_PUBLISH, READERS_SUBSCRIBE),
        "    ]",
        "  }",
        "  PRODUCERS {",
        f"    imports: [ {{ service: {{ account: RECOUNT, subject: {intake} }} }} ]",
        "    users: [",
        *_user("producer", passwords["producer"], PRODUCER_PUBLISH, PRODUCER_SUBSCRIBE),
        "    ]",
        "  }",
        "}",
    ]


def _user(name: NatsUser, password: str, publish: Subjects, subscribe: Subjects) -> list[str]:
    return [
        f"      {{ user: {name}, password: {_quoted(password)}, permissions {{",
        f"        publish {{ allow: {_list(publish)} }}",
        f"        subscribe {{ allow: {_list(subscribe)} }}",
        "      } }",
    ]


def _list(subjects: Subjects) -> str:
    return f"[ {', '.join(map(_quoted, subjects))} ]"


def _quoted(text: str) -> str:
    # A double-quoted string of the server's format takes the escapes of JSON.
    return json.dumps(text, ensure_ascii=False)
