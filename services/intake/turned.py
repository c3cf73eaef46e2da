"""Requests that are not taken."""


class Hangup(Exception):
    """The sender closed the connection before the request was complete."""


class Turned(Exception):
    """A request that is not taken.

    Args:
        status: HTTP status of the answer.
        because: why, for its body.
        headers: of the answer, with ``_`` for ``-``.
    """

    def __init__(self, status: int, because: str, **headers: str) -> None:
        super().__init__(because)
        self.status = status
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


class Handshake(Turned):
    """A request that is not taken but welcome."""

    def __init__(self, headers: dict[str, str]) -> None:
        super().__init__(200, "")
        self.headers = headers
