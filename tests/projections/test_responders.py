"""The view ``responders``: who took part."""

from events.incident import IncidentAcknowledged, IncidentDeclared, Noted, RoleAssigned
from events.page import PageRequested
from tests.spec import ADA, BOB, GRACE, given, incident, moment, page


def test_whoever_acknowledged_held_a_role_was_paged_or_wrote_took_part():
    requested = PageRequested(
        incident_id="INC-42", person_id=BOB, run=1, round=0, level=1, answer_within_s=300, target="rotation.primary"
    )
    given(
        incident("INC-42", IncidentDeclared(title="checkout is down", severity="sev1"), by="service:incidents"),
        page("pg-1", requested),
        page("pg-2", requested),
        incident("INC-42", IncidentAcknowledged(), by=BOB, at="09:30"),
        incident("INC-42", IncidentAcknowledged(), by="service:intake"),
        incident("INC-42", RoleAssigned(role="scribe", person_id=ADA), RoleAssigned(role="expert", person_id=ADA)),
        incident("INC-42", Noted(text="rolled back"), by=GRACE),
    ).view("responders").shows(
        {"person_id": BOB, "acknowledged_at": moment("09:30"), "roles": [], "pages": 2, "notes": 0},
        {"person_id": ADA, "acknowledged_at": None, "roles": ["expert", "scribe"], "pages": 0, "notes": 0},
        {"person_id": GRACE, "acknowledged_at": None, "roles": [], "pages": 0, "notes": 1},
    )
