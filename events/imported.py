"""Facts about histories taken over from another system. Stream ``import.<key of the system and its id>``.

The stream is the guard of one foreign incident: it says which incident of ours it became, and which states of it were
taken over. Its facts are appended in the same atomic batch as what they led to.
"""

from typing import ClassVar

from events.fact import Fact


class ImportAssigned(Fact, frozen=True, tag="import.assigned"):
    """An incident of another system became one of ours, for good."""

    headline: ClassVar[str] = "{external_id} of {system} is {incident_id}"
    system: str
    """The other system, such as ``statuspage``."""
    external_id: str
    """What it calls the incident."""
    incident_id: str


class ImportTaken(Fact, frozen=True, tag="import.taken"):
    """A state of an incident, as another system knew it at the event's ``known_at``, was taken over."""

    headline: ClassVar[str] = "took {incident_id} over from {system}: {facts} facts"
    system: str
    external_id: str
    incident_id: str
    content_sha256: str
    """Of the state as it was given, without its time: the same state later says nothing new."""
    facts: int
    """How many facts it led to on the incident; 0 when only what is kept here was new."""
    url: str = ""
    """Where the other system shows it."""
    tags: tuple[str, ...] = ()
    extra: str = ""
    """What else the other system said of it, as JSON."""


ImportFact = ImportAssigned | ImportTaken
