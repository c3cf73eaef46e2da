"""Who is on call, who is next, and whom each policy asks when: through any lens, for the page and the API."""

from typing import Any

import msgspec

from projections.lens import AsOf
from services.web.reader import Reader

_SHIFTS = "select * from on_call_now order by rotation, rotation_id, person_id"
# A rotation and a policy are said as a whole each time, so the last one stands.
_ROTATIONS = """
    select stream_id as rotation_id, name, zone, members from rotation_configured
    qualify seq = max(seq) over (partition by stream_id)
    order by name, rotation_id
"""
_POLICIES = """
    select stream_id as policy_id, name, levels, repeat from policy_configured
    qualify seq = max(seq) over (partition by stream_id)
    order by name, policy_id
"""


class OnCall(msgspec.Struct, frozen=True, kw_only=True):
    """On call as a lens shows it."""

    shifts: list[dict[str, Any]]
    """Who is on call: a row of ``on_call_now`` each, with ``next_person_id`` (empty: nobody else) and ``zone``."""
    idle: list[dict[str, Any]]
    """Rotations in which nobody is on call: ``rotation_id`` and ``name``."""
    policies: list[dict[str, Any]]
    """``policy_id``, ``name``, ``repeat``, and ``levels`` of ``targets`` and ``answer_within_s``."""
    rotation_names: dict[str, str]


async def read_on_call(reader: Reader, lens: AsOf) -> OnCall:
    """Everything that there is to know of on call, through a lens."""
    rotations = {row["rotation_id"]: row for row in await reader.rows(_ROTATIONS, as_of=lens)}
    shifts = await reader.rows(_SHIFTS, as_of=lens)
    for shift in shifts:
        rotation = rotations.get(shift["rotation_id"], {"members": [], "zone": "UTC"})
        shift["next_person_id"] = _next(rotation["members"], shift["person_id"])
        shift["zone"] = rotation["zone"]
    taken = {shift["rotation_id"] for shift in shifts}
    return OnCall(
        shifts=shifts,
        idle=[
            {"rotation_id": key, "name": rotation["name"]} for key, rotation in rotations.items() if key not in taken
        ],
        policies=await reader.rows(_POLICIES, as_of=lens),
        rotation_names={key: rotation["name"] for key, rotation in rotations.items()},
    )


def _next(members: list[str], person_id: str) -> str:
    following = members.index(person_id) + 1 if person_id in members else 0
    return members[following % len(members)] if len(members) > 1 else ""
