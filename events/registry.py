"""Every fact class by its permanent tag. A new fact appears here by being in its family's union."""

from typing import get_args

from events.alert import AlertFact
from events.audit import DeadLetterFact, KeyFact, SystemFact, TokenFact
from events.change import ChangeFact
from events.escalation import EscalationFact
from events.fact import Fact, tag_of
from events.group import GroupFact
from events.heartbeat import HeartbeatFact
from events.imported import ImportFact
from events.incident import IncidentFact
from events.inhibition import InhibitionFact
from events.ledger import LedgerFact
from events.oncall import PolicyFact, RotationFact
from events.order import OrderFact
from events.page import PageFact
from events.person import DirectoryFact, PersonFact
from events.review import ReviewFact
from events.rules import RulesFact
from events.silence import SilenceFact
from events.timer import TimerFact

FAMILIES = (
    AlertFact,
    IncidentFact,
    GroupFact,
    EscalationFact,
    PageFact,
    RotationFact,
    PolicyFact,
    PersonFact,
    DirectoryFact,
    ReviewFact,
    KeyFact,
    TokenFact,
    DeadLetterFact,
    SystemFact,
    TimerFact,
    OrderFact,
    ImportFact,
    RulesFact,
    SilenceFact,
    InhibitionFact,
    ChangeFact,
    HeartbeatFact,
    LedgerFact,
)


def _all_facts() -> dict[str, type[Fact]]:
    classes = [kind for family in FAMILIES for kind in (get_args(family) or (family,))]
    return {tag_of(kind): kind for kind in classes}


FACT_TYPES: dict[str, type[Fact]] = _all_facts()
"""``{"incident.declared": IncidentDeclared, …}``"""
