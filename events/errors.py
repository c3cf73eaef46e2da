"""What can go wrong, as one tree.

RecountError
├── LogError                   the event log could not do what was asked
│   ├── Conflict               somebody else appended first: reload and decide again
│   ├── LogUnavailable         no answer from the log; whether the append was stored is unknown
│   ├── LogFull                the log refuses new events rather than forget old ones
│   ├── IntakeBusy             too many receipts wait for the disk; the sender should come back later
│   └── Unreadable             bytes in the log that this version cannot read
├── InvalidEvent               an event that may not be appended
│   └── FactTooLarge           its encoding exceeds the limit
├── PersonErased               the key of a person was destroyed, so the sealed data is gone
└── BadConfiguration           recount.toml or the environment is wrong

Every error says what was wrong, and ``hint`` says what to do next; the command line prints the hint on its own line.
"""


class RecountError(Exception):
    """Base of every error that Recount raises on purpose."""

    hint: str = ""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        if hint is not None:
            self.hint = hint


class LogError(RecountError):
    """The event log could not do what was asked."""


class Conflict(LogError):
    """Another writer appended to the stream first.

    Attributes:
        stream: the stream that was contended, such as ``incident.INC-42``.
        expected: the version the writer had loaded (log position of the stream's last event, 0 for none).
        actual: the version that won.
    """

    hint = "Load the stream again and decide again."

    def __init__(self, stream: str, *, expected: int, actual: int) -> None:
        super().__init__(f"{stream} was last written at position {actual}, not {expected}")
        self.stream = stream
        self.expected = expected
        self.actual = actual


class LogUnavailable(LogError):
    """The log did not answer in time. Whether an append was stored is unknown; repeating it is safe."""

    hint = "Is it running? Start it with `recount up`, or set RECOUNT_NATS_URL."


class LogFull(LogError):
    """The log reached its configured size and refuses new events, because it must never forget old ones."""

    hint = "Give the stream more room; see docs/operating.md, 'When the log is full'."


class IntakeBusy(LogError):
    """More receipts wait for the disk than may wait. Nothing was stored."""

    hint = "The sender should come back later. Overload or a slow disk: see docs/operating.md."


class Unreadable(LogError):
    """Bytes in the log that this version cannot read, with their position."""

    hint = "They may come from a newer version: upgrade, or look at them with `recount show --raw SEQ`."


class InvalidEvent(RecountError):
    """An event that may not be appended: wrong stream for its type, malformed id, or a time without a zone."""


class FactTooLarge(InvalidEvent):
    """The encoded event exceeds the limit of one fact."""

    hint = "Keep large evidence outside the log and record its address and hash."


class PersonErased(RecountError):
    """The key of a person was destroyed, so what was sealed with it cannot be read again."""


class BadConfiguration(RecountError):
    """recount.toml or the environment is wrong; the message names the file, the key and what is expected."""
