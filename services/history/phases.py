"""Which milestone may follow which, in the history of an incident (the phase machine of the incidents service)."""

from services.history.commands import Phase, Step

PHASE_AFTER: dict[Step, Phase] = {
    "detected": "triage",
    "declared": "active",
    "contained": "contained",
    "eradicated": "eradicated",
    "resolved": "resolved",
    "regressed": "active",
    "reopened": "active",
    "closed": "closed",
    "dismissed": "dismissed",
}
"""The phase that an incident is in once it reached a milestone."""

MAY_FOLLOW: dict[Step | None, frozenset[Step]] = {
    None: frozenset({"detected", "declared"}),
    "detected": frozenset({"declared", "resolved", "dismissed"}),
    "declared": frozenset({"contained", "eradicated", "resolved", "dismissed"}),
    "contained": frozenset({"eradicated", "resolved", "regressed", "dismissed"}),
    "eradicated": frozenset({"resolved", "regressed"}),
    "resolved": frozenset({"closed", "reopened", "dismissed"}),
    "regressed": frozenset({"contained", "eradicated", "resolved", "dismissed"}),
    "reopened": frozenset({"contained", "eradicated", "resolved", "dismissed"}),
    "closed": frozenset({"reopened", "dismissed"}),
    "dismissed": frozenset(),
}
"""By the milestone before; None before the first."""

OPEN: frozenset[Phase] = frozenset({"triage", "active", "contained", "eradicated"})
"""Somebody still had to do something."""
