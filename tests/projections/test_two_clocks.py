"""What is believed before and after each correction, by both clocks.

*As known at* a log position is what was believed then. *As happened by* a time is what is believed now to have been so
by then. Events are recorded two seconds after the minute of their position; position 1 is 09:01.
"""

from events.incident import (
    DeterminationCorrected,
    DeterminationSet,
    ImpactEnded,
    ImpactStarted,
    IncidentAcknowledged,
    IncidentContained,
    IncidentDeclared,
    IncidentOpened,
    IncidentResolved,
    IncidentSeverityChanged,
    SeverityCorrected,
)
from events.page import PageRequested, PageSent
from tests.projections.belief import aware, corrected, happened_by, reached, shows, without
from tests.spec import BOB, given, incident, moment, page

DECLARED = IncidentDeclared(title="checkout is down", severity="sev2")


class TestAMilestoneCorrected:
    story = given(
        incident("INC-42", DECLARED, at="09:10"),
        incident("INC-42", IncidentContained(), at="09:30"),
        incident("INC-42", IncidentResolved(), at="10:00"),
        incident("INC-42", corrected("contained", "09:20", 2), at="10:30"),
        incident("INC-42", corrected("resolved", "09:50", 3), at="10:31"),
    )

    def test_now_and_then(self):
        shows(self.story, contained_at=moment("09:20"), resolved_at=moment("09:50"), phase="resolved")
        shows(self.story, as_of=3, contained_at=moment("09:30"), resolved_at=moment("10:00"))
        shows(self.story, as_of=4, contained_at=moment("09:20"), resolved_at=moment("10:00"))

    def test_as_happened(self):
        shows(self.story, as_of=happened_by("09:25"), phase="contained", contained_at=moment("09:20"))
        shows(self.story, as_of=happened_by("09:25", position=3), phase="active", contained_at=None)
        shows(self.story, as_of=happened_by("09:55"), phase="resolved")
        shows(self.story, as_of=happened_by("09:55", position=4), phase="contained")

    def test_the_reader_sees_what_was_said_and_by_what_it_is_believed(self):
        row = reached(self.story, "contained")
        assert row is not None
        assert (row["said_at"], row["happened_at"]) == (moment("09:30"), moment("09:20"))
        assert (row["seq"], row["event_id"], row["corrected_seq"]) == (2, "event-2", 4)
        before = reached(self.story, "contained", as_of=3)
        assert before is not None
        assert (before["said_at"], before["happened_at"], before["corrected_seq"]) == (
            moment("09:30"),
            moment("09:30"),
            None,
        )

    def test_the_last_correction_counts_and_one_that_is_taken_back_does_not(self):
        twice = given(
            incident("INC-42", DECLARED, at="09:10"),
            incident("INC-42", IncidentContained(), at="09:30"),
            incident("INC-42", corrected("contained", "09:20", 2), corrected("contained", "09:25", 2)),
            incident("INC-42", without(4, "incident.milestone_corrected")),
        )
        shows(twice, as_of=4, contained_at=moment("09:25"))
        shows(twice, contained_at=moment("09:20"))


class TestTheDetectionCorrected:
    story = given(
        incident("INC-42", IncidentDeclared(title="down", severity="sev2", detected_at=aware("09:00")), at="09:10"),
        incident("INC-42", corrected("detected", "08:40", 1), at="09:20"),
    )

    def test_now_and_then(self):
        shows(self.story, detected_at=moment("08:40"), declared_at=moment("09:10"), opened_at=moment("09:10"))
        shows(self.story, as_of=1, detected_at=moment("09:00"))

    def test_as_happened_the_declaration_stays_where_it_was(self):
        self.story.view("incidents", as_of=happened_by("09:05")).shows_nothing()
        shows(self.story, as_of=happened_by("09:11"), detected_at=moment("08:40"))

    def test_an_opening_is_its_own_signal(self):
        opened = given(
            incident("INC-42", IncidentOpened(title="slow", severity="sev3"), at="09:10"),
            incident("INC-42", corrected("detected", "09:00", 1), at="09:20"),
        )
        shows(opened, opened_at=moment("09:00"), detected_at=moment("09:00"))
        shows(opened, as_of=happened_by("09:05"), phase="triage")
        opened.view("incidents", as_of=happened_by("09:05", position=1)).shows_nothing()


class TestAMilestoneThatNothingHadSaid:
    story = given(
        incident("INC-42", DECLARED, at="09:10"),
        incident("INC-42", IncidentResolved(), at="10:00"),
        incident("INC-42", corrected("impact_started", "08:30"), corrected("contained", "09:40"), at="10:30"),
        incident("INC-42", corrected("acknowledged", "09:12"), corrected("mitigated", "09:41"), at="10:31"),
    )

    def test_now_and_then(self):
        shows(
            self.story,
            impact_started_at=moment("08:30"),
            contained_at=moment("09:40"),
            acknowledged_at=moment("09:12"),
            acknowledged_by=None,
            mitigated_at=moment("09:41"),
        )
        shows(self.story, as_of=2, impact_started_at=None, contained_at=None, acknowledged_at=None, mitigated_at=None)

    def test_as_happened(self):
        shows(self.story, as_of=happened_by("09:30"), impact_started_at=moment("08:30"), contained_at=None)
        row = reached(self.story, "contained")
        assert row is not None
        assert (row["said_at"], row["seq"], row["corrected_seq"]) == (None, 4, 4)

    def test_it_stands_until_an_event_says_it(self):
        later = given(
            incident("INC-42", DECLARED, corrected("impact_started", "08:30"), at="09:10"),
            incident("INC-42", ImpactStarted(scope="checkout", level=2), at="08:40"),
        )
        shows(later, as_of=2, impact_started_at=moment("08:30"))
        shows(later, impact_started_at=moment("08:40"))


class TestImpactCorrected:
    story = given(
        incident("INC-42", DECLARED, at="09:10"),
        incident("INC-42", ImpactStarted(scope="checkout", level=3), at="09:00"),
        incident("INC-42", ImpactEnded(scope="checkout"), at="09:40"),
        incident("INC-42", corrected("impact_started", "08:50", 2), corrected("mitigated", "09:30", 3), at="10:00"),
    )

    def test_now_and_then(self):
        shows(self.story, impact_started_at=moment("08:50"), impact_ended_at=moment("09:30"))
        shows(self.story, as_of=3, impact_started_at=moment("09:00"), impact_ended_at=moment("09:40"))
        self.story.view("impact_intervals").shows(
            {
                "started_at": moment("08:50"),
                "started_said_at": moment("09:00"),
                "started_corrected_seq": 4,
                "ended_at": moment("09:30"),
                "ended_said_at": moment("09:40"),
                "ended_corrected_seq": 5,
            }
        )

    def test_as_happened(self):
        shows(self.story, as_of=happened_by("09:35"), mitigated_at=moment("09:30"))
        shows(self.story, as_of=happened_by("09:35", position=3), mitigated_at=None)


class TestANotificationCorrected:
    story = given(
        incident("INC-42", DECLARED, at="09:10"),
        page(
            "pg-1",
            PageRequested(
                incident_id="INC-42", person_id=BOB, run=1, round=0, level=1, answer_within_s=300, target="person.bob"
            ),
            at="09:11",
        ),
        page("pg-1", PageSent(channel="smtp", contact=0, attempt=1), at="09:12"),
        incident("INC-42", corrected("notified", "09:20", 3), at="09:30"),
    )

    def test_a_correction_reaches_the_stream_of_the_page(self):
        shows(self.story, notified_at=moment("09:20"))
        shows(self.story, as_of=3, notified_at=moment("09:12"))
        shows(self.story, as_of=happened_by("09:15"), notified_at=None)


class TestAnEventRetracted:
    story = given(
        incident("INC-42", DECLARED, at="09:10"),
        incident("INC-42", IncidentAcknowledged(), at="09:15", by=BOB),
        incident("INC-42", IncidentContained(), at="09:20"),
        incident("INC-42", IncidentResolved(), at="09:30"),
        incident("INC-42", without(4, "incident.resolved", "contained"), at="09:40"),
        incident("INC-42", without(2, "incident.acknowledged"), at="09:41"),
    )

    def test_now_and_then(self):
        shows(self.story, as_of=4, phase="resolved", resolved_at=moment("09:30"), acknowledged_by=BOB)
        shows(self.story, as_of=5, phase="contained", resolved_at=None, acknowledged_by=BOB)
        shows(self.story, phase="contained", resolved_at=None, acknowledged_by=None)

    def test_as_happened_it_never_was(self):
        shows(self.story, as_of=happened_by("09:35"), phase="contained", acknowledged_at=None)
        shows(self.story, as_of=happened_by("09:35", position=4), phase="resolved")
        # The phase that a retraction carries is the one at its end, not the one of an earlier moment.
        shows(self.story, as_of=happened_by("09:16"), phase="active")

    def test_two_steps_taken_back_one_after_the_other(self):
        both = given(
            incident("INC-42", DECLARED, IncidentContained(), IncidentResolved()),
            incident("INC-42", without(2, "incident.contained", "resolved"), without(3, "incident.resolved", "active")),
        )
        shows(both, as_of=4, phase="resolved", contained_at=None)
        shows(both, phase="active")


class TestASeverityCorrected:
    story = given(
        incident("INC-42", DECLARED, at="09:10"),
        incident("INC-42", IncidentSeverityChanged(severity="sev3", previous="sev2"), at="09:20"),
        incident(
            "INC-42",
            SeverityCorrected(
                severity="sev1", previous="sev2", replaces_event_id="event-1", replaces_seq=1, reason="x"
            ),
            at="09:30",
        ),
    )

    def test_now_and_then(self):
        shows(self.story, severity_declared="sev1", severity_peak="sev1", severity="sev3")
        shows(self.story, as_of=2, severity_declared="sev2", severity_peak="sev2", severity="sev3")

    def test_as_happened_it_was_so_from_the_start(self):
        shows(self.story, as_of=happened_by("09:15"), severity="sev1")
        shows(self.story, as_of=happened_by("09:15", position=2), severity="sev2")

    def test_one_that_was_too_severe_leaves_no_peak(self):
        calmer = SeverityCorrected(
            severity="sev4", previous="sev2", replaces_event_id="event-1", replaces_seq=1, reason="x"
        )
        shows(given(incident("INC-42", DECLARED, calmer)), severity="sev4", severity_peak="sev4")


class TestADeterminationCorrected:
    story = given(
        incident("INC-42", DECLARED, at="09:10"),
        incident("INC-42", DeterminationSet(determination="confirmed"), at="09:20"),
        incident(
            "INC-42",
            DeterminationCorrected(
                determination="blocked", replaces_event_id="event-2", replaces_seq=2, reason="the filter held"
            ),
            at="09:30",
        ),
    )

    def test_by_both_clocks(self):
        shows(self.story, determination="blocked")
        shows(self.story, as_of=2, determination="confirmed")
        shows(self.story, as_of=happened_by("09:25"), determination="blocked")
        shows(self.story, as_of=happened_by("09:15"), determination="suspected")


class TestAnImpreciseTime:
    story = given(
        incident("INC-42", DECLARED, at="09:10"),
        incident("INC-42", IncidentContained(), at="09:50", between=("09:40", "10:05")),
        incident(
            "INC-42",
            corrected("contained", "09:45", 2, occurred_earliest_at=aware("09:44"), occurred_latest_at=aware("09:46")),
            at="10:30",
        ),
    )

    def test_bounds_come_from_whatever_is_believed(self):
        before, now = reached(self.story, "contained", as_of=2), reached(self.story, "contained")
        assert before is not None
        assert now is not None
        assert (before["earliest"], before["latest"]) == (moment("09:40"), moment("10:05"))
        assert (now["earliest"], now["latest"]) == (moment("09:44"), moment("09:46"))

    def test_a_correction_without_bounds_is_precise(self):
        precise = given(
            incident("INC-42", DECLARED, at="09:10"),
            incident("INC-42", IncidentContained(), at="09:50", between=("09:40", "10:05")),
            incident("INC-42", corrected("contained", "09:45", 2)),
        )
        row = reached(precise, "contained")
        assert row is not None
        assert (row["earliest"], row["latest"]) == (None, None)
