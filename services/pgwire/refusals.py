"""What went wrong, as PostgreSQL's clients expect it: an SQLSTATE (its manual, appendix A), a message, a hint."""

from collections.abc import Iterator
from contextlib import contextmanager

from projections.query import Kind, QueryRefused
from services.pgwire.arguments import BadArgument
from services.pgwire.messages import Problem

_CODES: dict[Kind, str] = {
    "not_allowed": "42501",
    "syntax": "42601",
    "no_such_table": "42P01",
    "no_such_column": "42703",
    "no_such_function": "42883",
    "no_such_setting": "42704",
    "ambiguous": "42702",
    "type": "42804",
    "value": "22P02",
    "too_big": "54000",
    "too_slow": "57014",
    "stopped": "57014",
    "memory": "53200",
    "wrong": "42000",
}

FAILED_TRANSACTION = "25P02"


class Refused(Exception):
    """A statement or message that is answered with an error."""

    def __init__(self, code: str, message: str, *, hint: str = "", position: int = 0, routine: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.hint = hint
        self.position = position
        self.routine = routine


def problem_of(error: Exception) -> Problem | None:
    """An error that is the asker's to mend; None for one that is ours."""
    routine = ""
    match error:
        case Refused():
            code, hint, position, routine = error.code, error.hint, error.position, error.routine
        case QueryRefused():
            code, hint, position = _CODES[error.kind], error.hint, error.place
        case BadArgument():
            code, hint, position = "22P02", "", 0
        case _:
            return None
    return Problem(severity="ERROR", code=code, message=str(error), hint=hint, position=position, routine=routine)


@contextmanager
def within(start: int) -> Iterator[None]:
    """What is wrong with a part of a text points into the whole, in which it begins at a character."""
    try:
        yield
    except (Refused, QueryRefused) as error:
        told = problem_of(error)
        if told is None or not told.position or not start:
            raise
        raise Refused(told.code, told.message, hint=told.hint, position=told.position + start) from error


def fatal(code: str, message: str, hint: str = "") -> Problem:
    """After this the connection ends."""
    return Problem(severity="FATAL", code=code, message=message, hint=hint)


def warning(code: str, message: str) -> Problem:
    """The statement was taken all the same."""
    return Problem(severity="WARNING", code=code, message=message)
