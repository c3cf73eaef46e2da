"""What other rules would have made of history: two runs of the real services, and how they differ."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from events import Event, Fact, Stored, encode
from events.alert import AlertCleared, AlertFired, AlertSeverity
from events.escalation import Level
from events.incident import AlertLinked, IncidentAcknowledged, IncidentDeclared, IncidentResolved
from events.oncall import PolicyConfigured, RotationConfigured
from events.person import PersonAdded
from events.rules import RulesPublished
from events.silence import SilenceCreated
from services.cli.counterfactual import Played, Setting
from services.cli.counterfactual_diff import Difference, difference, told_by
from services.cli.rules_replay import play
from services.incidents.grouping import Rules

ADA = "per-adaaaaaaaa"
NINE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SETTING = Setting(built_in=Rules(), threshold="sev3")
QUIET = '[route]\nopens_at = "critical"\n'
BY_HOST = '[route]\ngroup_by = ["host"]\n'
WAITING = '[route]\ngroup_wait = "2m"\n'


def fired(title: str, *, severity: AlertSeverity = "error", service: str = "checkout", **labels: str) -> AlertFired:
    return AlertFired(
        integration="key-1",
        sender="json",
        fingerprint=title,
        occurrence=1,
        title=title,
        severity=severity,
        service=service,
        labels=labels,
    )


class Log:
    """A history that is written down by the minute."""

    def __init__(self) -> None:
        self.stored: list[Stored] = []
        self.tell(-60, f"person.{ADA}", PersonAdded(sealed="a key that is on no machine"))
        rotation = RotationConfigured(
            name="primary", zone="UTC", starts_at=NINE - timedelta(days=1), shift_days=7, members=(ADA,)
        )
        self.tell(-60, "rotation.primary", rotation)
        levels = (Level(targets=("rotation.primary",), answer_within_s=300),)
        self.tell(-60, "policy.default", PolicyConfigured(name="default", levels=levels, repeat=1))
        self.first = len(self.stored)

    def tell(self, minute: float, stream: str, fact: Fact, actor: str = "") -> None:
        at = NINE + timedelta(minutes=minute)
        seq = len(self.stored) + 1
        event = Event(id=f"event-{seq}", fact=fact, happened_at=at, source="recount/test", actor=actor)
        subject, body = encode(stream, event)
        self.stored.append(Stored(seq, subject, at, body))

    def run(self, rules: str | None, *, until: float = 120, setting: Setting = SETTING) -> Played:
        chosen = Setting(built_in=setting.built_in, threshold=setting.threshold, rules=rules)
        return asyncio.run(play(chosen, self.stored, self.first, NINE, NINE + timedelta(minutes=until)))

    def differs(self, rules: str, *, until: float = 120) -> Difference:
        return difference(told_by(self.run(None, until=until).events), told_by(self.run(rules, until=until).events))


def a_morning() -> Log:
    """Two alerts about one service, of which ada takes the incident in hand and resolves it, and a critical one."""
    log = Log()
    log.tell(1, "alert.a1", fired("5xx above 2 %", host="web-1"))
    log.tell(2, "alert.a2", fired("queue is long", host="web-2"))
    # What was decided then is left out of every run, but says which alerts the acts of people were about.
    declared = IncidentDeclared(title="5xx above 2 %", severity="sev2", service="checkout", rule="by service")
    log.tell(1, "incident.INC-1", declared, "service:incidents")
    log.tell(1, "incident.INC-1", AlertLinked(alert_key="a1", occurrence=1, title="5xx"), "service:incidents")
    log.tell(2, "incident.INC-1", AlertLinked(alert_key="a2", occurrence=1, title="queue"), "service:incidents")
    log.tell(12, "incident.INC-1", IncidentAcknowledged(), ADA)
    log.tell(30, "incident.INC-1", IncidentResolved(summary="rolled back"), ADA)
    log.tell(40, "alert.a3", fired("database is down", severity="critical", service="database"))
    return log


def names(changes: Sequence[Any]) -> list[tuple[str, str]]:
    return [(each.change, (each.before or each.after).title) for each in changes]


def test_the_same_rules_make_no_difference():
    log = a_morning()
    for rules in ("", '[route]\nopens_at = "error"\n'):
        found = log.differs(rules)
        assert not found.incidents
        assert not found.pages
        assert not found.alerts


def test_a_run_pages_as_it_did_live_and_stops_when_somebody_answers():
    told = told_by(a_morning().run(None).events)
    assert {incident.title: len(incident.alerts) for incident in told.incidents.values()} == {
        "5xx above 2 %": 2,
        "database is down": 1,
    }
    first = [page for page in told.pages.values() if page.incident_id == "INC-1"]
    # At once, and in the second round after five minutes; then nobody is left to ask.
    assert [page.at for page in first] == [NINE + timedelta(minutes=1), NINE + timedelta(minutes=6)]
    assert {page.whom for page in first} == {ADA}


def test_stricter_rules_remove_an_incident_with_its_pages():
    found = a_morning().differs(QUIET)
    assert names(found.incidents) == [("removed", "5xx above 2 %")]
    assert [page.change for page in found.pages] == ["removed", "removed"]
    assert {(each.alert_key, each.after.what) for each in found.alerts} == {("a1", "recorded"), ("a2", "recorded")}


def test_acts_on_what_no_longer_is_are_left_out_and_told():
    played = a_morning().run(QUIET)
    assert played.carried == 0
    assert len(played.dropped) == 2
    assert "INC-1" in played.dropped[0]


def test_finer_groups_add_an_incident_and_acts_go_to_the_one_that_has_the_first_alert():
    log = a_morning()
    found = log.differs(BY_HOST)
    assert ("added", "queue is long") in names(found.incidents)
    resolved = [each for each in log.run(BY_HOST).events if isinstance(each.fact, IncidentResolved)]
    assert len(resolved) == 1


def test_a_wait_moves_an_incident_and_its_pages_in_time():
    log = Log()
    log.tell(1, "alert.a1", fired("5xx above 2 %"))
    found = log.differs(WAITING)
    (incident,) = found.incidents
    assert incident.change == "moved"
    assert incident.what == ("begins 120 s later",)
    assert {page.change for page in found.pages} == {"moved"}


def test_a_silence_of_then_holds_in_both_runs_and_ends_by_itself():
    log = Log()
    silence = SilenceCreated(
        matchers=('service="checkout"',),
        starts_at=NINE,
        ends_at=NINE + timedelta(minutes=20),
        reason="moving racks",
    )
    log.tell(0, "silence.sil-1", silence, ADA)
    log.tell(1, "alert.a1", fired("5xx above 2 %"))
    log.tell(2, "alert.a2", fired("disk full", host="db"))
    log.tell(5, "alert.a2", AlertCleared())
    told = told_by(log.run(None).events)
    (incident,) = told.incidents.values()
    assert incident.title == "5xx above 2 %"
    assert incident.began_at == NINE + timedelta(minutes=20)
    assert told.outcomes["a2", 1].what == "held"
    assert not log.differs("").incidents


def test_rules_that_were_published_then_decide_the_run_as_it_was():
    log = Log()
    log.tell(0, "rules.default", RulesPublished(text=QUIET, text_sha256="", note="too noisy"))
    log.tell(1, "alert.a1", fired("5xx above 2 %"))
    assert not told_by(log.run(None).events).incidents
    assert names(log.differs("").incidents) == [("added", "5xx above 2 %")]


def test_what_was_open_at_the_beginning_goes_on():
    log = Log()
    log.tell(-30, "alert.a1", fired("5xx above 2 %"))
    decided = asyncio.run(play(SETTING, log.stored, log.first, NINE - timedelta(hours=1), NINE))
    for each in decided.events:
        if not each.stream.startswith(("alert.", "timer.")):
            subject, body = encode(each.stream, each.event)
            log.stored.append(Stored(len(log.stored) + 1, subject, each.recorded_at, body))
    log.first = len(log.stored)
    log.tell(1, "alert.a2", fired("queue is long"))
    told = told_by(log.run(None).events)
    assert not told.incidents  # it joined the one that was open
    assert told.outcomes["a2", 1].detail == "INC-1"


def test_the_same_history_gives_the_same_answer():
    one, other = (told_by(a_morning().run(BY_HOST).events) for _ in range(2))
    assert one == other
