"""Streams and their NATS subjects are each other's inverse, and never reach beyond themselves."""

import pytest

from events import FACT_TYPES, Fact
from events.errors import InvalidEvent
from events.fact import category_of
from events.incident import IncidentDeclared
from events.subjects import every_fact_of, every_stream_of, split, stream_from_subject, stream_of, subject_of


@pytest.mark.parametrize("kind", FACT_TYPES.values(), ids=FACT_TYPES.keys())
def test_a_fact_has_a_subject_that_leads_back_to_its_stream(kind: type[Fact]):
    stream = stream_of(category_of(kind), "INC-42")
    subject = subject_of(stream, kind)
    assert stream_from_subject(subject) == stream
    assert subject.startswith(every_fact_of(stream).removesuffix("*"))
    assert subject.startswith(every_stream_of(category_of(kind)).removesuffix(">"))
    assert len(subject.split(".")) == 4


def test_the_subject_says_what_happened_to_what():
    assert subject_of("incident.INC-42", IncidentDeclared) == "evt.incident.INC-42.declared"
    assert split("incident.INC-42") == ("incident", "INC-42")


@pytest.mark.parametrize("identifier", ["", "INC.42", "*", ">", "two words", "x" * 65])
def test_an_id_that_would_change_the_meaning_of_a_subject_is_refused(identifier: str):
    with pytest.raises(InvalidEvent, match="cannot name a incident: use 1 to 64 of A-Z a-z 0-9 _ -"):
        stream_of("incident", identifier)
    with pytest.raises(InvalidEvent, match="IncidentDeclared belongs in a stream incident"):
        subject_of(f"incident.{identifier}", IncidentDeclared)


@pytest.mark.parametrize("subject", ["evt", "evt.incident", "", "evt.incident.INC-42.declared.again"])
def test_a_malformed_subject_gives_some_stream_rather_than_an_error(subject: str):
    # Messages are sorted by stream before any of them is decoded: one bad subject must not stop the others.
    assert isinstance(stream_from_subject(subject), str)
