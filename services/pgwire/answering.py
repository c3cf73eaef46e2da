"""Who answers what: the warehouse questions about the views, the system catalog those about what there is."""

import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from projections.catalog import Column
from projections.lens import Lens
from projections.postgres.dialect import Asker, Statement, Target, understand
from projections.postgres.relation import relations
from projections.postgres.system_catalog import SystemCatalog
from projections.stream import Shape, Stream
from projections.warehouse import Warehouse
from services.pgwire.lens import lens_of
from services.pgwire.variables import VARIABLES


class Answering:
    """Answers the sessions of a server. Its methods wait for DuckDB, so they are called in threads.

    Args:
        warehouse: gives the warehouse of the moment.
        now: tells the present moment.
    """

    def __init__(self, warehouse: Callable[[], Warehouse], now: Callable[[], datetime]) -> None:
        self._warehouse = warehouse
        self._now = now
        self._renewing = threading.Lock()
        self._edition = self.edition
        self._catalog = self._catalog_of(warehouse())

    @property
    def edition(self) -> object:
        """Something that is another one after the definitions of the views have changed."""
        warehouse = self._warehouse()
        return id(warehouse), warehouse.outdated

    def close(self) -> None:
        """Answer nothing more."""
        self._catalog.close()

    def understand(self, sql: str, asker: Asker, declared: Sequence[int]) -> tuple[object, Statement]:
        """What a statement asks, of whom, and the edition by which that was found out.

        Raises:
            QueryRefused: it is not one harmless SELECT, or wrong.
        """
        edition = self._renew()
        return edition, understand(self._catalog, sql, asker, self._describe, declared)

    def stream(self, statement: Statement, params: Sequence[Any], shape: Shape, lens: Lens | None) -> Stream:
        """The answer, not yet begun. It does not wait."""
        if statement.target == "catalog":
            return self._catalog.stream(statement.sql, params, shape)
        return self._warehouse().stream_sandboxed(statement.sql, params, shape=shape, as_of=lens)

    def lens(self, variables: dict[str, str]) -> Lens | None:
        """The lens that a session's settings ask for.

        Raises:
            Refused: they cannot be read, or lie in the future.
        """
        warehouse = self._warehouse()
        return lens_of(variables, last_position=warehouse.position, now=self._now(), position_at=warehouse.position_at)

    def _describe(self, target: Target, sql: str, parameters: int) -> tuple[Column, ...]:
        if target == "catalog":
            return self._catalog.describe(sql, parameters)
        return self._warehouse().describe_sandboxed(sql, parameters)

    def _renew(self) -> object:
        """Describe the views anew when an upgrade has changed them; the edition."""
        with self._renewing:
            edition = self.edition
            if edition != self._edition:
                # The former one ends with the last question that is asked of it.
                self._catalog = self._catalog_of(self._warehouse())
                self._edition = edition
            return edition

    @staticmethod
    def _catalog_of(warehouse: Warehouse) -> SystemCatalog:
        settings = [(each.name, each.value, each.meaning) for each in VARIABLES]
        return SystemCatalog(relations(warehouse.documented_views(typed=True)), settings)
