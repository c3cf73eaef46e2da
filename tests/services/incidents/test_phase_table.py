"""The whole phase machine as one table: every phase times every verb that changes it."""

import pytest

from events.incident import IncidentMerged, IncidentRegressed
from services.command import CommandRefused
from services.incidents.circumstances import Circumstances
from services.incidents.commands import (
    Close,
    Contain,
    Declare,
    Dismiss,
    Eradicate,
    Merge,
    Open,
    Regress,
    Reinstate,
    Reopen,
    Resolve,
    TransitionCommand,
    Unmerge,
)
from services.incidents.decider import decide
from services.incidents.lifecycle import ALLOWED_FROM
from services.incidents.state import fold
from tests.services.incidents.story import (
    ADA,
    INC,
    after,
    closed,
    contained,
    declared,
    dismissed_by_grace,
    eradicated,
    merged_by_grace,
    opened,
    resolved_by_bob,
    said,
)

HISTORIES = {
    "unopened": (),
    "triage": (opened,),
    "active": (declared,),
    "contained": (declared, contained),
    "eradicated": (declared, contained, eradicated),
    "resolved": (declared, resolved_by_bob),
    "closed": (declared, resolved_by_bob, closed),
    "dismissed": (declared, dismissed_by_grace),
    "merged": (declared, merged_by_grace),
}

COMMANDS: dict[str, TransitionCommand] = {
    "open": Open(title="checkout is slow", severity="sev3", service="checkout"),
    "declare": Declare(title="checkout pays twice", severity="sev2", reason="users say so"),
    "contain": Contain(),
    "eradicate": Eradicate(),
    "resolve": Resolve(),
    "regress": Regress(reason="came back"),
    "close": Close(waiver="small"),
    "reopen": Reopen(kind="relapse", reason="down again"),
    "dismiss": Dismiss(reason="false_positive"),
    "reinstate": Reinstate(reason="it is real"),
    "merge": Merge(into_incident_id="INC-7"),
    "unmerge": Unmerge(),
}

# A phase: it leads there. "·": refused. "=": holds already, so nothing is said. Written by hand from the lifecycle's
# fourteen transitions, not from the code.
TABLE = """
           open   declare contain   eradicate  resolve  regress close  reopen dismiss   reinstate merge  unmerge
unopened   triage active  ·         ·          ·        ·       ·      ·      ·         ·         ·      ·
triage     =      active  ·         ·          resolved ·       ·      ·      dismissed ·         merged ·
active     ·      ·       contained eradicated resolved ·       ·      ·      dismissed ·         merged ·
contained  ·      ·       =         eradicated resolved active  ·      ·      dismissed ·         merged ·
eradicated ·      ·       ·         =          resolved active  ·      ·      ·         ·         merged ·
resolved   ·      ·       ·         ·          =        ·       closed active dismissed ·         merged ·
closed     ·      ·       ·         ·          ·        ·       =      active dismissed ·         merged ·
dismissed  ·      ·       ·         ·          ·        ·       ·      ·      =         triage    merged ·
merged     ·      ·       ·         ·          ·        ·       ·      ·      ·         ·         =      active
"""

_VERBS, *_ROWS = (line.split() for line in TABLE.strip().splitlines())
CELLS = [(row[0], verb, cell) for row in _ROWS for verb, cell in zip(_VERBS, row[1:], strict=True)]


@pytest.mark.parametrize(("phase", "verb", "expected"), CELLS, ids=[f"{verb} when {phase}" for phase, verb, _ in CELLS])
def test_a_phase_changes_exactly_along_the_table(phase: str, verb: str, expected: str):
    history = HISTORIES[phase]
    incident = fold(history)
    assert incident.phase == phase
    about = Circumstances(
        incident_id=INC, actor=ADA, happened_at=after(minutes=10), now=after(minutes=10), other=fold([declared])
    )
    try:
        facts = decide(incident, COMMANDS[verb], about)
    except CommandRefused:
        assert expected == "·"
        return
    if expected == "=":
        assert facts == ()
    else:
        assert fold([*history, *(said(fact, minutes=10) for fact in facts)]).phase == expected


def test_the_table_names_every_phase_and_every_transition_verb():
    assert {phase for phase, _, _ in CELLS} == set(HISTORIES)
    assert {type(command) for command in COMMANDS.values()} == set(ALLOWED_FROM)


def test_a_regression_and_a_merge_can_be_told_from_their_traces():
    regressed = fold([declared, contained, said(IncidentRegressed(reason="came back"), minutes=6)])
    assert (regressed.phase, regressed.deed and regressed.deed.did) == ("active", "said that it regressed")
    merged = fold([declared, said(IncidentMerged(into_incident_id="INC-7"), minutes=6)])
    assert (merged.merged_into, merged.merges) == ("INC-7", ("INC-7",))
