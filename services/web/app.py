"""The web application: routes, authentication, security headers, and what starts and stops with it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

from litestar import Litestar, Request
from litestar.datastructures import MutableScopeHeaders, State
from litestar.di import Provide
from litestar.middleware import DefineMiddleware
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.static_files import create_static_files_router
from litestar.template.config import TemplateConfig
from litestar.types import Message, Scope

from services.context import Context
from services.web import (
    api_document,
    api_log,
    page_ack,
    page_alerts,
    page_command,
    page_diff,
    page_incidents,
    page_intake,
    page_login,
    page_metrics,
    page_oncall,
    page_pages,
    page_postmortem,
    page_rules,
    page_silences,
    page_sql,
    page_why,
    page_work,
)
from services.web.asked_lens import provide_lens
from services.web.identity import OPEN, Authentication, refuse_forgery
from services.web.login_failures import LoginFailures
from services.web.names import Names
from services.web.orders import Orders
from services.web.problems import Problem, answer_problem
from services.web.reader import Projecting, Reader
from services.web.sessions import Sessions
from services.web.site import RenderPostmortem, Site, provide_site
from services.web.tail import Tail
from services.web.tokens import Tokens
from services.web.wording import make_environment

FOLDER = Path(__file__).parent
# The largest command is a note of 12,000 characters; a query has at most 100,000.
BODY_BYTES_MAX = 512 * 1024
# How long the log may take to tell which tokens exist, before the application gives up starting.
START_S_MAX = 30.0
STATIC_AGE_S = 31_536_000  # a year: the address of a static file changes with its content

# No inline script or style anywhere, nothing from other sites, and no other site may frame a page.
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    # Not `no-referrer` in general: browsers then say of our own forms, too, that they come from nowhere.
    "Referrer-Policy": "same-origin",
}


def make_app(context: Context, projector: Projecting, *, render_postmortem: RenderPostmortem) -> Litestar:
    """The web application on one process's connections.

    Args:
        context: connections, configuration and secrets.
        projector: keeps the warehouse that is read.
        render_postmortem: `services.postmortem.render.render`.
    """
    secure = context.settings.public_url.startswith("https://")
    reader = Reader(projector, context.clock)
    names = Names(reader)
    tokens = Tokens()
    sessions = Sessions(bytes.fromhex(context.secrets.session_key), context.clock, secure=secure)
    site = Site(
        context=context,
        reader=reader,
        names=names,
        orders=Orders(context.client, context.clock, names),
        tail=Tail(context.log, tokens, names),
        tokens=tokens,
        sessions=sessions,
        login_failures=LoginFailures(),
        render_postmortem=render_postmortem,
    )
    headers = SECURITY_HEADERS | ({"Strict-Transport-Security": "max-age=31536000"} if secure else {})

    async def guard_and_catch_up(request: Request[Any, Any, Any]) -> None:
        if "\0" in request.scope["path"]:  # no file system takes it; without this a file that is asked for fails
            raise Problem(404, "There is no such page", instead="Start from the list of incidents.")
        await refuse_forgery(request, sessions)
        if (position := request.query_params.get("min_position")) is not None:
            await reader.wait_for(api_log.as_position(position))

    async def set_headers(message: Message, scope: Scope) -> None:
        if message["type"] != "http.response.start":
            return
        answer = MutableScopeHeaders.from_message(message)
        if scope["path"].startswith("/static/"):
            answer["Cache-Control"] = f"public, max-age={STATIC_AGE_S}, immutable"
        elif scope["path"].startswith("/ack/"):
            answer["Referrer-Policy"] = "no-referrer"  # the link is its own authority
        for name, value in (headers | {"Cache-Control": "no-store"}).items():
            answer.setdefault(name, value)

    return Litestar(
        route_handlers=[
            *api_document.ROUTERS,
            page_incidents.router,
            page_command.router,
            page_metrics.router,
            page_oncall.router,
            page_work.router,
            page_intake.router,
            page_why.router,
            page_alerts.router,
            page_silences.router,
            page_rules.router,
            page_pages.router,
            page_diff.router,
            page_postmortem.router,
            page_sql.router,
            page_login.router,
            page_ack.router,
            create_static_files_router(
                "/static",
                [FOLDER / "static"],
                opt=OPEN,
                include_in_schema=False,
            ),
        ],
        dependencies={
            "site": Provide(provide_site, sync_to_thread=False),
            "lens": Provide(provide_lens),
        },
        middleware=[DefineMiddleware(Authentication, tokens=tokens, sessions=sessions)],
        before_request=guard_and_catch_up,
        before_send=[set_headers],
        exception_handlers={Exception: answer_problem},
        template_config=TemplateConfig(
            instance=JinjaTemplateEngine.from_environment(make_environment(FOLDER / "templates", _versions()))
        ),
        lifespan=[_following(site)],
        state=State({"site": site}),
        request_max_body_size=BODY_BYTES_MAX,
        openapi_config=None,
        logging_config=None,
    )


def _following(site: Site) -> Callable[[Litestar], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def following(_app: Litestar) -> AsyncIterator[None]:
        started = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            follower = tasks.create_task(site.tail.run(started))
            await asyncio.wait_for(started.wait(), START_S_MAX)
            try:
                yield
            finally:
                await site.tail.close()
                follower.cancel()

    return following


def _versions() -> dict[str, str]:
    return {path.name: sha256(path.read_bytes()).hexdigest()[:12] for path in (FOLDER / "static").iterdir()}
