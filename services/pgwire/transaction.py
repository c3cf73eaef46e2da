"""The transaction of one session. It writes nothing, so it only bounds what is set, and how long cursors live."""

import msgspec

from services.pgwire.commands import Begin, End, Savepoint
from services.pgwire.holdings import Holdings
from services.pgwire.refusals import FAILED_TRANSACTION, Refused
from services.pgwire.statement import Portal
from services.pgwire.variables import State, Variables

IDLE, IN_TRANSACTION, FAILED = b"I", b"T", b"E"
SAVEPOINTS_MAX = 1_000


class _Mark(msgspec.Struct, frozen=True):
    """A moment that one can go back to."""

    name: str
    settings: State
    portals: list[Portal]


class Transaction:
    """See the module.

    Args:
        variables: the settings of the session.
        holdings: its portals.
    """

    def __init__(self, variables: Variables, holdings: Holdings) -> None:
        self._variables = variables
        self._holdings = holdings
        self._begun: _Mark | None = None
        self._savepoints: list[_Mark] = []
        self._is_implicit = False
        self.status = IDLE
        """As the message ReadyForQuery tells it."""

    @property
    def is_block(self) -> bool:
        """Whether there is one that lasts longer than a statement."""
        return self._begun is not None

    def refuse_if_failed(self, command: object = None) -> None:
        """Refuse what a transaction that failed does not take.

        Raises:
            Refused: it failed, and this is not its end.
        """
        is_end = isinstance(command, End) or (isinstance(command, Savepoint) and command.verb == "ROLLBACK")
        if self.status == FAILED and not is_end:
            message = "current transaction is aborted, commands ignored until end of transaction block"
            raise Refused(FAILED_TRANSACTION, message, hint="ROLLBACK ends it.")

    def fail(self) -> None:
        """A statement failed."""
        if self.status == IN_TRANSACTION:
            self.status = FAILED

    def begin_implicitly(self) -> None:
        """Several statements came in one message: they are one transaction, unless they say otherwise."""
        if self._begun is None:
            self._begun = self._mark("")
            self._is_implicit = True

    def end_implicitly(self, *, is_kept: bool) -> None:
        """The message is done."""
        if self._is_implicit:
            self._end(is_kept=is_kept)

    def begin(self, _command: Begin) -> str:
        """Begin; a warning when there is one already, otherwise empty."""
        is_new = self._begun is None or self._is_implicit
        if self._begun is None:
            self._begun = self._mark("")
        self._is_implicit = False
        self.status = IN_TRANSACTION
        return "" if is_new else "there is already a transaction in progress"

    def end(self, command: End) -> tuple[str, str]:
        """End; what was done, and a warning when there was none, otherwise empty."""
        is_there = self._begun is not None and not self._is_implicit
        is_kept = command.is_kept and self.status != FAILED
        self._end(is_kept=is_kept)
        if command.is_chained and is_there:
            self.begin(Begin())
        return "COMMIT" if is_kept else "ROLLBACK", "" if is_there else "there is no transaction in progress"

    def savepoint(self, command: Savepoint) -> None:
        """Make a savepoint, release one, or go back to one.

        Raises:
            Refused: there is no transaction, or no such savepoint.
        """
        if self._begun is None or self._is_implicit:
            what = "ROLLBACK TO SAVEPOINT" if command.verb == "ROLLBACK" else command.verb
            raise Refused("25P01", f"{what} can only be used in transaction blocks", hint="BEGIN begins one.")
        if command.verb == "SAVEPOINT":
            if len(self._savepoints) >= SAVEPOINTS_MAX:
                raise Refused("54000", f"there are {SAVEPOINTS_MAX} savepoints already", hint="RELEASE some.")
            self._savepoints.append(self._mark(command.name))
            return
        places = [place for place, mark in enumerate(self._savepoints) if mark.name == command.name]
        if not places:
            raise Refused("3B001", f'savepoint "{command.name}" does not exist')
        place = places[-1]
        if command.verb == "RELEASE":
            del self._savepoints[place:]
            return
        del self._savepoints[place + 1 :]
        self._go_back(self._savepoints[place])
        self.status = IN_TRANSACTION

    def _mark(self, name: str) -> _Mark:
        return _Mark(name, self._variables.state(), self._holdings.portals())

    def _go_back(self, mark: _Mark) -> None:
        self._variables.restore(mark.settings)
        older = {id(portal) for portal in mark.portals}
        self._holdings.close_those([each for each in self._holdings.portals() if id(each) not in older])

    def _end(self, *, is_kept: bool) -> None:
        if self._begun is not None and not is_kept:
            self._go_back(self._begun)
        self._variables.end_local()
        self._holdings.close_those([each for each in self._holdings.portals() if not each.is_held])
        self._begun, self._savepoints, self._is_implicit, self.status = None, [], False, IDLE
