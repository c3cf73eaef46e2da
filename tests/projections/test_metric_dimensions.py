"""The view ``metric_dimensions``: what figures are broken down by."""

from events.alert import AlertFired
from events.incident import AlertLinked, IncidentOpened, IncidentSeverityChanged
from events.page import PageRequested, PageWithheld
from tests.projections.metric_story import DECLARED, REQUESTED
from tests.spec import BOB, alert, given, incident, page

FIRED = AlertFired(
    integration="key-1", sender="alertmanager", fingerprint="f1", occurrence=1, title="5xx", severity="critical"
)
OPENED = IncidentOpened(title="5xx", severity="sev3", service="checkout", rule="same service")
LINKED = AlertLinked(alert_key="a1", occurrence=1, title="5xx", rule="same service")


def test_severity_is_the_declared_the_worst_and_the_final_one():
    given(
        incident("INC-42", DECLARED, IncidentSeverityChanged(severity="sev1", previous="sev2")),
        incident("INC-42", IncidentSeverityChanged(severity="sev4", previous="sev1")),
    ).view("metric_dimensions").shows(
        {"severity_declared": "sev2", "severity_peak": "sev1", "severity_final": "sev4", "service": "checkout"}
    )


def test_the_source_is_the_alert_sender_when_a_rule_opened_it_and_else_the_person():
    given(
        alert("a1", FIRED),
        incident("INC-41", OPENED, LINKED, by="service:incidents"),
        incident("INC-42", DECLARED, LINKED),
        incident("INC-43", OPENED, by="service:incidents"),
    ).view("metric_dimensions").shows(
        {"incident_id": "INC-41", "source": "alertmanager"},
        {"incident_id": "INC-42", "source": "person"},
        {"incident_id": "INC-43", "source": "recount/test"},
    )


def test_the_team_is_the_rotation_that_was_to_be_paged_first():
    to_a_person = PageRequested(
        incident_id="INC-42", person_id=BOB, run=1, round=0, level=1, answer_within_s=300, target=f"person.{BOB}"
    )
    given(
        incident("INC-41", DECLARED),
        incident("INC-42", DECLARED),
        page("pg-1", to_a_person),
        page("pg-2", REQUESTED),
        incident("INC-43", DECLARED),
        page("pg-3", PageWithheld(incident_id="INC-43", reason="nobody is on call", target="rotation.search")),
    ).view("metric_dimensions").shows(
        {"incident_id": "INC-41", "team": None},
        {"incident_id": "INC-42", "team": "primary"},
        {"incident_id": "INC-43", "team": "search"},
    )
