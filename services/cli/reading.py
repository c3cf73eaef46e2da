"""Reading what was just written: a verb that reads waits until the views hold all that the log held when it began."""

from events import RecountError
from services.cli.client import Api
from services.cli.console import note


def catch_up(api: Api) -> None:
    """Wait for the views, a few seconds at most; when they are behind even then, say so and go on."""
    try:
        log_position = api.get("/healthz")["log_position"]
        api.get("/api/position", min_position=log_position)
    except RecountError as error:
        note(f"The answer may be behind the log: {error}")
