"""HTTP API: who may ask in SQL over the PostgreSQL wire. Reading and changing needs an admin token."""

import asyncio
from typing import Annotated, Any, TypedDict

import msgspec
from litestar import Response, Router, delete, get, post
from litestar.params import FromPath, JSONBody

from events import RecountError
from services.secrets import new_secret
from services.sql_users import SqlUsers
from services.web.declared import declared
from services.web.identity import admin_only
from services.web.problems import Problem
from services.web.site import Here, Site


class NewSqlUser(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Somebody who is to ask in SQL."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=63)]


class SqlUsersTold(TypedDict):
    """Everybody who may ask."""

    sql_users: list[dict[str, Any]]


@get("/sql-users")
async def sql_users(site: Here) -> SqlUsersTold:
    """Everybody who may ask, without what is kept of their passwords."""
    everybody = await asyncio.to_thread(_users(site).all)
    return {"sql_users": [{"name": user.name, "created_at": user.created_at} for user in everybody]}


@post("/sql-users", opt=declared(409))
async def add_sql_user(data: JSONBody[NewSqlUser], site: Here) -> Response[dict[str, Any]]:
    """Let somebody ask. The password is in this answer and nowhere else."""
    password = new_secret()
    try:
        user = await asyncio.to_thread(_users(site).add, data.name, password, site.reader.now)
    except RecountError as error:
        raise Problem(409, "The SQL user was not added", because=str(error), instead=error.hint) from error
    return Response({"name": user.name, "password": password, "created_at": user.created_at}, status_code=201)


@delete("/sql-users/{name:str}", status_code=200)
async def remove_sql_user(name: FromPath[str], site: Here) -> dict[str, Any]:
    """Let somebody ask no more."""
    try:
        await asyncio.to_thread(_users(site).remove, name)
    except RecountError as error:
        raise Problem(404, "The SQL user was not removed", because=str(error), instead=error.hint) from error
    return {"name": name}


def _users(site: Site) -> SqlUsers:
    return SqlUsers(site.context.data)


router = Router(path="/api", guards=[admin_only], route_handlers=[sql_users, add_sql_user, remove_sql_user])
