"""Mappings: strict when they are made, clear about a payload that has not what they need."""

from datetime import UTC, datetime

import pytest

from services.intake.mapping import ALERTS_PER_PAYLOAD_MAX, InvalidMapping, MissingValue, read_mapping


def says(mapping: str, payload: object) -> list[tuple[str, str, str]]:
    return [(one.state, one.fingerprint, one.title) for one in read_mapping(mapping).signals(payload)]


@pytest.mark.parametrize(
    ("mapping", "because"),
    [
        ("", "there is no mapping"),
        ("title = ", "not a mapping"),
        ("[labels]\na = '$.b'", "title"),
        ("title = '$.a'\nprioritet = '$.b'", "prioritet"),
        ("title = '$.a['", "title: '$.a[' is no JSONPath"),
        ("title = 'x'\nlist = 'alerts'", "list: 'alerts' is no path"),
        ("title = 'x'\nkey = '{{a b}}'", "key: '@.a b' is no JSONPath"),
        ("title = 'x'\n[labels]\nhost = '@..['", "labels.host"),
        ("title = 'x'\n[states]\nDOWN = 'broken'", "broken"),
        ("title = 'x'\n[severities]\nP1 = 'sev1'", "sev1"),
        ("title = '$[?match(@.a, \"(a+)+b\")]'", "match"),
        (f"title = '{'x' * 20_000}'", "at most 16000 characters"),
        ('{"title": 5}', "title"),
    ],
)
def test_what_is_no_mapping_is_refused_with_where_and_why(mapping: str, because: str):
    with pytest.raises(InvalidMapping) as refused:
        read_mapping(mapping)
    assert because in str(refused.value)


def test_toml_and_json_say_the_same():
    payload = {"name": "disk", "since": 1_772_373_600_000}
    toml = read_mapping('title = "$.name"\nstarted_at = "@.since"').signals(payload)
    assert toml == read_mapping('{"title": "{{name}}", "started_at": "$.since"}').signals(payload)
    assert toml[0].started_at == datetime(2026, 3, 1, 14, tzinfo=UTC)


def test_a_list_is_many_alerts_that_still_see_the_whole_payload():
    mapping = 'list = "$.hosts[?@.down]"\ntitle = "{{$.check}} on {{name}}"\nkey = "@.name"'
    payload = {"check": "ping", "hosts": [{"name": "a", "down": True}, {"name": "b"}, {"name": "c", "down": 1}]}
    assert says(mapping, payload) == [("firing", "a", "ping on a"), ("firing", "c", "ping on c")]
    assert says(mapping, {"check": "ping", "hosts": []}) == []
    assert says('list = "$"\ntitle = "@"', ["a", "b"]) == [("firing", "a", "a"), ("firing", "b", "b")]


@pytest.mark.parametrize(
    ("payload", "because"),
    [
        ({}, "title: $.name finds nothing"),
        ({"name": "disk", "status": "DOWN"}, "key: @.id finds nothing"),
        ({"name": "disk", "id": 7}, "state: @.status finds nothing"),
        ({"name": "disk", "id": 7, "status": "purple"}, "state: 'purple' is not"),
        ({"name": "disk", "id": 7, "status": "DOWN", "since": "yesterday"}, "started_at: 'yesterday' is no time"),
        ({"name": "disk", "id": "x" * 2_000, "status": "DOWN"}, "key has more than"),
        ("disk", "title: $.name finds nothing"),
        (None, "title: $.name finds nothing"),
    ],
)
def test_a_payload_without_what_the_mapping_needs_is_refused(payload: object, because: str):
    mapping = read_mapping(
        'title = "$.name"\nkey = "@.id"\nstate = "@.status"\nstarted_at = "@.since"\n[states]\ndown = "firing"'
    )
    with pytest.raises(MissingValue) as refused:
        mapping.signals(payload)
    assert because in str(refused.value)


def test_every_faulty_entry_of_a_list_is_named():
    mapping = read_mapping('list = "$.all"\ntitle = "@.name"')
    with pytest.raises(MissingValue) as refused:
        mapping.signals({"all": [{"name": "a"}, {}, {"name": ""}]})
    assert str(refused.value).splitlines() == [
        "alert 2: title: @.name finds nothing",
        "alert 3: title: @.name finds nothing",
    ]
    with pytest.raises(MissingValue, match="more than"):
        mapping.signals({"all": [{"name": "a"}] * (ALERTS_PER_PAYLOAD_MAX + 1)})


def test_a_payload_as_deep_as_can_be_is_refused_and_does_no_harm():
    deep: object = {"name": "x"}
    for _ in range(900):
        deep = {"a": deep}
    with pytest.raises(MissingValue):
        read_mapping('title = "$..name.nothing"').signals(deep)


def test_an_unknown_severity_stays_a_label():
    (signal,) = read_mapping('title = "x"\nseverity = "$.p"\n[severities]\nP1 = "critical"').signals({"p": "P9"})
    assert (signal.severity, signal.labels) == ("unknown", {"severity": "P9"})
    (signal,) = read_mapping('title = "x"\nseverity = "$.p"\n[severities]\nP1 = "critical"').signals({"p": "p1"})
    assert (signal.severity, signal.labels) == ("critical", {})
