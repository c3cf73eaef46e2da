"""HTTP API: taking over the history of another system. Needs an admin token."""

from typing import Any

import msgspec
from litestar import Response, Router, post

from events.ids import new_event_id
from services.broker import request as request_answer
from services.command import CommandRefused, Order, Refused
from services.history.commands import Record, decode_answer, names_in, parse
from services.web.declared import declared
from services.web.identity import AskerRequest, admin_only
from services.web.site import Here, Site


@post("/import", status_code=200, opt=declared(404, 409, bodies=(Record,)))
async def import_history(request: AskerRequest, site: Here) -> Response[Any]:
    """Take over snapshots of incidents, the fields of the command `record`: what became of each is in ``outcomes``.

    Sending the same again changes nothing. `recount import` sends a file of any size in such parts.
    """
    command = parse("record", await request.body())
    order = Order(
        id=new_event_id(),
        actor=await site.orders.actor_of(request),
        auth_id=request.user.auth_id,
        issued_at=site.context.clock.now(),
        command=msgspec.Raw(msgspec.json.encode(await _with_people(command, site))),
    )
    answer = decode_answer.decode(await request_answer(site.context.client, "history", "record", order))
    if isinstance(answer, Refused):
        raise CommandRefused(answer.asked, because=answer.because, instead=answer.instead, code=answer.code)
    return Response(msgspec.to_builtins(answer))


async def _with_people(command: Record, site: Site) -> Record:
    """Who is named by a handle, or id, of somebody whom we know is that person."""
    named: set[str] = set().union(*map(names_in, command.snapshots))
    people = command.people
    if named - people.keys():
        # What is written now stays, so somebody who was added a moment ago must be found.
        present = await site.names.present(fresh=True)
        known = {name: person.person_id for person in present for name in _called(person)}
        people = {name: known[name] for name in sorted(named & known.keys())} | people
    return msgspec.structs.replace(command, people=people)


def _called(person: Any) -> tuple[str, str]:
    return person.handle, person.person_id


router = Router(path="/api", guards=[admin_only], route_handlers=[import_history])
