"""What every page and every API handler works with."""

from collections.abc import Callable, Mapping
from typing import Protocol

from litestar.datastructures import State
from litestar.di import NamedDependency

from projections import lens
from projections.lens import Lens as AnyLens
from projections.query import Table
from services.context import Context
from services.web.login_failures import LoginFailures
from services.web.names import Names
from services.web.orders import Orders
from services.web.reader import Reader
from services.web.sessions import Sessions
from services.web.tail import Tail
from services.web.tokens import Tokens

Ask = Callable[..., Table]
"""A query with its parameters, bound to a lens."""


class RenderPostmortem(Protocol):
    """Renders a postmortem as Markdown out of query answers. `services.postmortem.render.render` is one."""

    def __call__(
        self, ask: Ask, incident_id: str, *, names: Mapping[str, str] | None = None, lens: AnyLens | None = None
    ) -> str:
        """The document; the same answers give the same bytes."""
        ...


class Site:
    """One web application's parts.

    Not a dataclass: Litestar would check its fields anew for every request.
    """

    def __init__(
        self,
        context: Context,
        reader: Reader,
        names: Names,
        orders: Orders,
        tail: Tail,
        tokens: Tokens,
        sessions: Sessions,
        login_failures: LoginFailures,
        render_postmortem: RenderPostmortem,
    ) -> None:
        self.context = context
        self.reader = reader
        self.names = names
        self.orders = orders
        self.tail = tail
        self.tokens = tokens
        self.sessions = sessions
        self.login_failures = login_failures
        self.render_postmortem = render_postmortem


Here = NamedDependency[Site]
"""The site, as a handler's parameter ``site``."""
Lens = NamedDependency[lens.Lens | None]
"""What ``?as_of=``, ``known_by=`` and ``happened_by=`` let through, None for the present, as a handler's parameter
``lens``; its position is always set."""


def provide_site(state: State) -> Site:
    """The site, for a handler's parameter ``site``."""
    site: Site = state.site
    return site
