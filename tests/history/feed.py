"""A small public status history as somebody polled it: successive states of three incidents, with later edits of what
had been published."""

from collections.abc import Iterator
from typing import Any

SYSTEM = "statuspage"


def state(identifier: str, known_at: str, **fields: Any) -> dict[str, Any]:
    """One snapshot, as a line of JSON holds it."""
    return {"system": SYSTEM, "id": identifier, "known_at": known_at, **fields}


def reached(milestone: str, at: str, **more: str) -> dict[str, Any]:
    """A milestone."""
    return {"milestone": milestone, "at": at, **more}


def feed() -> Iterator[dict[str, Any]]:
    """The states, in order of knowledge."""
    detected = reached("detected", "2026-03-01T10:00:00Z")
    declared = reached("declared", "2026-03-01T10:05:00Z")
    first = {"at": "2026-03-01T10:06:00Z", "text": "We are investigating errors.", "author": "ada", "id": "u1"}
    api = {"scope": "api", "level": 2, "start": "2026-03-01T09:58:00Z"}
    yield state(
        "checkout",
        "2026-03-01T10:10:00Z",
        title="Errors in the API",
        severity="sev3",
        service="checkout",
        phase="active",
        milestones=[detected, declared],
        impact=[api],
        updates=[first],
        acknowledgements=[{"at": "2026-03-01T10:02:00Z", "by": "ada"}],
        roles=[{"role": "commander", "person": "ada", "start": "2026-03-01T10:05:00Z"}],
        url="https://status.example.org/incidents/checkout",
    )
    # More severe, a second component, and a better name.
    web = {"scope": "web", "level": 1, "start": "2026-03-01T10:20:00Z"}
    second = {"at": "2026-03-01T10:30:00Z", "text": "A bad deployment is being rolled back.", "author": "bob"}
    yield state(
        "checkout",
        "2026-03-01T10:31:00Z",
        title="Checkout fails",
        severity="sev2",
        service="checkout",
        milestones=[detected, declared],
        impact=[api | {"changes": [{"level": 4, "at": "2026-03-01T10:15:00Z"}]}, web],
        updates=[first, second],
        acknowledgements=[{"at": "2026-03-01T10:02:00Z", "by": "ada"}],
        roles=[
            {
                "role": "commander",
                "person": "ada",
                "start": "2026-03-01T10:05:00Z",
                "end": "2026-03-01T10:25:00Z",
            },
            {"role": "commander", "person": "bob", "start": "2026-03-01T10:25:00Z"},
        ],
    )
    # Another incident begins; it turns out to be the same one.
    yield state(
        "search",
        "2026-03-01T10:40:00Z",
        title="Search is slow",
        severity="sev4",
        service="search",
        milestones=[reached("declared", "2026-03-01T10:35:00Z")],
        impact=[],
        updates=[],
        determination="suspected",
    )
    yield state("search", "2026-03-01T10:50:00Z", merged_into="checkout", merged_at="2026-03-01T10:45:00Z")
    # Contained and resolved; the first text was edited, and detection is known to have been earlier.
    detected = reached(
        "detected", "2026-03-01T09:59:30Z", earliest="2026-03-01T09:59:00Z", latest="2026-03-01T10:00:00Z"
    )
    contained = reached("contained", "2026-03-01T11:00:00Z", summary="rolled back")
    resolved = reached("resolved", "2026-03-01T11:30:00Z", summary="no more errors")
    first = first | {"text": "We are investigating errors of the checkout.", "edited_at": "2026-03-01T10:55:00Z"}
    api_over = api | {"changes": [{"level": 4, "at": "2026-03-01T10:15:00Z"}], "end": "2026-03-01T10:59:00Z"}
    yield state(
        "checkout",
        "2026-03-01T11:35:00Z",
        title="Checkout fails",
        severity="sev2",
        milestones=[detected, declared, contained, resolved],
        impact=[api_over, web | {"end": "2026-03-01T11:00:00Z"}],
        updates=[first, second],
        determination="confirmed",
    )
    # A week later: it was resolved later than said, was worse than said, the start of the impact was earlier, one
    # component was not affected at all, one update is gone; and the merge was a mistake.
    resolved = reached("resolved", "2026-03-01T11:45:00Z", summary="no more errors")
    yield state(
        "checkout",
        "2026-03-08T09:00:00Z",
        title="Checkout fails in Europe",
        severity="sev1",
        milestones=[detected, declared, contained, resolved, reached("closed", "2026-03-07T15:00:00Z")],
        impact=[api_over | {"start": "2026-03-01T09:50:00Z"}],
        updates=[first],
        determination="confirmed",
    )
    yield state("search", "2026-03-08T09:00:00Z", merged_into=None, determination="false_positive")
    # It came back, and the containment had been told in the wrong place.
    yield state(
        "checkout",
        "2026-03-08T12:00:00Z",
        milestones=[
            detected,
            declared,
            reached("contained", "2026-03-01T10:50:00Z", summary="traffic moved away"),
            reached("regressed", "2026-03-01T10:55:00Z", summary="it came along"),
            contained,
            resolved,
            reached("reopened", "2026-03-08T11:00:00Z", kind="relapse", summary="errors again"),
        ],
        impact=[
            api_over | {"start": "2026-03-01T09:50:00Z"},
            {"scope": "api", "level": 3, "start": "2026-03-08T10:55:00Z"},
        ],
    )
