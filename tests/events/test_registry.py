"""Every fact class is in the registry, once, under a tag that nobody else has."""

from events import FACT_TYPES, Fact
from events.fact import category_of, name_of, tag_of


def subclasses(kind: type[Fact]) -> set[type[Fact]]:
    return {found for child in kind.__subclasses__() for found in ({child} | subclasses(child))}


def test_every_fact_class_of_the_package_is_registered():
    defined = {kind for kind in subclasses(Fact) if kind.__module__.startswith("events.")}
    assert defined == set(FACT_TYPES.values())


def test_a_tag_is_made_of_category_and_name():
    for tag, kind in FACT_TYPES.items():
        assert tag == tag_of(kind) == f"{category_of(kind)}.{name_of(kind)}"


def test_no_two_facts_share_a_tag():
    assert len(FACT_TYPES) == len(set(FACT_TYPES.values()))
