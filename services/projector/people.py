"""The table ``people``: who is meant by each person id, as far as the keys on this machine tell."""

import logging
from typing import Protocol

from events.errors import PersonErased, RecountError
from events.sealing import unseal
from projections.warehouse import Warehouse

logger = logging.getLogger("recount.projector")

PersonRow = tuple[str, str | None, str | None, str | None, bool]
"""person_id, handle, name, zone, erased."""

_PERSONS = """
select
    stream_id as person_id,
    arg_max(sealed, seq) as sealed,
    count(*) filter (where type = 'person.erased') > 0 as is_erased
from person_facts
group by stream_id
order by person_id
"""


class Keys(Protocol):
    """The keys that open what is sealed about people; `services.keyring.Keyring` is one."""

    def key(self, person_id: str) -> bytes | None:
        """The key of a person; None when it was destroyed, or never was on this machine."""
        ...


def refresh_people(warehouse: Warehouse, keys: Keys) -> None:
    """Fill ``people`` from all person facts in the warehouse, which keeps no names itself: after each opening too."""
    rows = warehouse.ask(_PERSONS).rows
    warehouse.set_people([_person(*row, keys=keys) for row in rows])


def _person(person_id: str, sealed: str | None, is_erased: bool, *, keys: Keys) -> PersonRow:
    if is_erased or sealed is None:
        return (person_id, None, None, None, is_erased)
    try:
        details = unseal(sealed, keys.key(person_id), person_id)
    except PersonErased:
        return (person_id, None, None, None, True)
    except (RecountError, ValueError) as error:
        # One person that cannot be read must not hide the others.
        logger.warning("%s stays without a name: %s", person_id, error)
        return (person_id, None, None, None, False)
    return (person_id, details.handle, details.name, details.zone, False)
