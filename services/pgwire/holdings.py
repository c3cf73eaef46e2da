"""What one session holds by name: prepared statements, and portals, among them its cursors."""

from services.pgwire.refusals import Refused
from services.pgwire.statement import Portal, Prepared

# As many as drivers keep in their caches, and no more.
STATEMENTS_MAX = 2_000
# A statement may be 100,000 characters long; a session keeps eighty such, or all those that drivers really send.
STATEMENTS_CHARS_MAX = 8_000_000
PORTALS_MAX = 64


class Holdings:
    """See the module."""

    def __init__(self) -> None:
        self._prepared: dict[str, Prepared] = {}
        self._chars = 0
        self._portals: dict[str, Portal] = {}

    def prepare(self, name: str, prepared: Prepared) -> None:
        """Keep a statement; the one without a name takes the place of the last.

        Raises:
            Refused: there is one of that name, or there are too many.
        """
        if not name:
            self._drop_statement("")
        elif name in self._prepared:
            raise Refused("42P05", f'prepared statement "{name}" already exists')
        if len(self._prepared) >= STATEMENTS_MAX:
            raise Refused("54000", f"there are {STATEMENTS_MAX} prepared statements already", hint="DEALLOCATE ALL")
        if self._chars + len(prepared.sql) > STATEMENTS_CHARS_MAX:
            message = f"the prepared statements are longer than {STATEMENTS_CHARS_MAX:,} characters together"
            raise Refused("54000", message, hint="DEALLOCATE ALL")
        self._prepared[name] = prepared
        self._chars += len(prepared.sql)

    def statement(self, name: str) -> Prepared:
        """A prepared statement.

        Raises:
            Refused: there is none of that name.
        """
        if name not in self._prepared:
            raise Refused("26000", f'prepared statement "{name}" does not exist' if name else "nothing is prepared")
        return self._prepared[name]

    def forget(self, name: str) -> None:
        """Forget a prepared statement, if there is one of that name."""
        self._drop_statement(name)

    def forget_all(self) -> None:
        """Forget every prepared statement that has a name."""
        for name in [name for name in self._prepared if name]:
            self._drop_statement(name)

    def open(self, name: str, portal: Portal) -> None:
        """Keep a portal; the one without a name takes the place of the last.

        Raises:
            Refused: there is one of that name, or there are too many.
        """
        if name and name in self._portals:
            raise Refused("42P03", f'cursor "{name}" already exists')
        if len(self._portals) >= PORTALS_MAX:
            raise Refused("54000", f"there are {PORTALS_MAX} cursors already", hint="Close those that are done.")
        self.close(name)
        self._portals[name] = portal

    def portal(self, name: str, of: str = "portal") -> Portal:
        """A portal.

        Raises:
            Refused: there is none of that name.
        """
        if name not in self._portals:
            raise Refused("34000", f'{of} "{name}" does not exist')
        return self._portals[name]

    def portals(self) -> list[Portal]:
        """Every portal, the oldest first."""
        return list(self._portals.values())

    def kept_bytes(self) -> int:
        """What the cursors that go backward keep."""
        return sum(portal.kept_bytes for portal in self._portals.values())

    def close(self, name: str) -> None:
        """Close a portal, if there is one of that name."""
        if (portal := self._portals.pop(name, None)) is not None:
            portal.close()

    def close_those(self, portals: list[Portal]) -> None:
        """Close some portals."""
        for name in [name for name, portal in self._portals.items() if any(portal is each for each in portals)]:
            self.close(name)

    def close_all(self) -> None:
        """Close every portal."""
        self.close_those(self.portals())

    def _drop_statement(self, name: str) -> None:
        if (prepared := self._prepared.pop(name, None)) is not None:
            self._chars -= len(prepared.sql)
