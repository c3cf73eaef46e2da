"""Page and API: who is on call, who is next, and whom the policy asks when; now or through a lens."""

from typing import Any

import msgspec
from litestar import Router, get
from litestar.response import Template

from services.web.answers import json_value, seen_through
from services.web.identity import AskerRequest
from services.web.names import speak
from services.web.on_call import OnCall, read_on_call
from services.web.pages import page
from services.web.site import Here, Lens


@get("/oncall")
async def oncall(request: AskerRequest, site: Here, lens: Lens) -> Template:
    """Who is on call, and the policy in words."""
    found = await read_on_call(site.reader, lens)
    called = await site.names.called()
    policies = [(policy, [_in_words(level, found, called) for level in policy["levels"]]) for policy in found.policies]
    return await page(request, site, "oncall.html", as_of=lens, shifts=found.shifts, idle=found.idle, policies=policies)


@get("/api/oncall")
async def oncall_as_json(site: Here, lens: Lens) -> dict[str, Any]:
    """Who is on call, who is next, and whom the policies ask when."""
    seen = seen_through(site.reader, lens)
    parts = msgspec.structs.asdict(await read_on_call(site.reader, lens))
    return {name: json_value(part) for name, part in parts.items()} | seen | {"names": await site.names.called()}


def _in_words(level: dict[str, Any], found: OnCall, called: dict[str, str]) -> dict[str, Any]:
    targets = []
    for target in level["targets"]:
        kind, _, name = target.partition(".")
        if kind == "rotation":
            targets.append(f"whoever is on call in {found.rotation_names.get(name, name)}")
        else:
            targets.append(speak(name, called))
    return {"targets": targets, "answer_within_s": level["answer_within_s"]}


router = Router(path="/", route_handlers=[oncall, oncall_as_json])
