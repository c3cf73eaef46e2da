"""Text that somebody keeps in a file: a mapping, a rule set."""

from pathlib import Path

from events import RecountError


def read_text(path: Path) -> str:
    """The text of a file.

    Raises:
        RecountError: it cannot be read, or is not UTF-8.
    """
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise RecountError(f"{path} cannot be read: {error.strerror or error}", hint="Name a file.") from error
    except UnicodeDecodeError as error:
        raise RecountError(f"{path} is not UTF-8: {error}", hint="Save it as UTF-8.") from error
