"""Page: who is on call now, who is next, and whom the policy asks when."""

from typing import Any

from litestar import Router, get
from litestar.response import Template

from events.escalation import Level
from events.oncall import PolicyConfigured, RotationConfigured
from events.subjects import split
from services.web.identity import AskerRequest
from services.web.names import speak
from services.web.pages import page
from services.web.site import Here, Lens, Site


@get("/oncall")
async def oncall(request: AskerRequest, site: Here, lens: Lens) -> Template:
    """Who is on call, and the policy in words."""
    shifts = await site.reader.rows("select * from on_call_now order by rotation, rotation_id", as_of=lens)
    rotations = await _rotations(site)
    called = await site.names.called()
    policies = [
        (recorded.fact, [_in_words(level, rotations, called) for level in recorded.fact.levels])
        for recorded in _latest(await site.context.log.read_category("policy"))
        if isinstance(recorded.fact, PolicyConfigured)
    ]
    for shift in shifts:
        rotation = rotations.get(shift["rotation_id"])
        members = rotation.members if rotation else ()
        following = members.index(shift["person_id"]) + 1 if shift["person_id"] in members else 0
        shift["next_person_id"] = members[following % len(members)] if len(members) > 1 else ""
        shift["zone"] = rotation.zone if rotation else "UTC"
    idle = [rotation for key, rotation in rotations.items() if key not in {shift["rotation_id"] for shift in shifts}]
    return await page(request, site, "oncall.html", as_of=lens, shifts=shifts, idle=idle, policies=policies)


async def _rotations(site: Site) -> dict[str, RotationConfigured]:
    found: dict[str, RotationConfigured] = {}
    for recorded in await site.context.log.read_category("rotation"):
        if isinstance(recorded.fact, RotationConfigured):
            found[split(recorded.stream)[1]] = recorded.fact
    return found


def _latest(history: list[Any]) -> list[Any]:
    return list({recorded.stream: recorded for recorded in history}.values())


def _in_words(level: Level, rotations: dict[str, RotationConfigured], called: dict[str, str]) -> dict[str, Any]:
    targets = []
    for target in level.targets:
        kind, _, name = target.partition(".")
        if kind == "rotation":
            targets.append(f"whoever is on call in {rotations[name].name if name in rotations else name}")
        else:
            targets.append(speak(name, called))
    return {"targets": targets, "answer_within_s": level.answer_within_s}


router = Router(path="/", route_handlers=[oncall])
