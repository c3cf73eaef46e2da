"""Matchers: Alertmanager's two grammars, its escapes, and RE2."""

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.errors import BadConfiguration
from services.rules.matchers import (
    Matcher,
    all_fit,
    match_nothing_given,
    parse_all,
    parse_matchers,
    unfit,
    written,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # https://prometheus.io/docs/alerting/latest/configuration/#matcher
        ('foo = bar, dings != "bums"', [("foo", "=", "bar"), ("dings", "!=", "bums")]),
        (
            '{quote=~"She said: \\"Hi, all!( How\'re you…)?\\""}',
            [("quote", "=~", 'She said: "Hi, all!( How\'re you…)?"')],
        ),
        ('statuscode=~"5.."', [("statuscode", "=~", "5..")]),
        ("{foo=bar,}", [("foo", "=", "bar")]),
        ("foo=", [("foo", "=", "")]),
        ('foo=""', [("foo", "=", "")]),
        ("foo=bar baz", [("foo", "=", "bar baz")]),
        ("foo=b}c", [("foo", "=", "b}c")]),
        (r'foo="a\nb\\c\"d\e"', [("foo", "=", 'a\nb\\c"d\\e')]),
        (r"foo=a\n", [("foo", "=", "a\n")]),
        # Only the newer grammar takes these.
        ('"foo bar"=baz', [("foo bar", "=", "baz")]),
        ("föö=🙂", [("föö", "=", "🙂")]),
        (r'"\U0001f642"="é"', [("🙂", "=", "é")]),
        (r'"a.b"="\x41\101\t"', [("a.b", "=", "AA\t")]),
        ('{a.b!~"c|d", e="f"}', [("a.b", "!~", "c|d"), ("e", "=", "f")]),
        ("", []),
        ("{}", []),
    ],
)
def test_a_matcher_is_read_as_alertmanager_reads_it(text: str, expected: list[tuple[str, str, str]]):
    assert parse_matchers(text) == tuple(Matcher(*each) for each in expected)


@pytest.mark.parametrize(
    "text",
    [
        "{foo=bar",
        "foo",
        "=bar",
        'foo="bar',
        'foo=ba"r',
        "foo~bar",
        '"foo=bar',
        'a="b",,c="d"',
        '""=b',
        r'"\q"=b',
        r'"a"="\ud800"',
    ],
)
def test_what_is_no_matcher_is_refused_with_the_syntax(text: str):
    with pytest.raises(BadConfiguration) as refusal:
        parse_matchers(text)
    assert refusal.value.hint


@pytest.mark.parametrize("pattern", ["(?=a)", "(?!a)", "(?<=a)", r"(a)\1", "(?P=name)", "a**", "(", "[", "x" * 5_000])
def test_what_is_no_re2_is_refused(pattern: str):
    with pytest.raises(BadConfiguration):
        parse_all((str(Matcher("a", "=~", pattern)),))


@pytest.mark.parametrize(
    ("matcher", "labels", "fits"),
    [
        ('team="a"', {"team": "a"}, True),
        ('team="a"', {}, False),
        ('team=""', {}, True),
        ('team!="a"', {}, True),
        ('team=~"a"', {"team": "ab"}, False),
        ('team=~"a.*"', {"team": "ab"}, True),
        ('team=~"a|b"', {"team": "b"}, True),
        ('team=~"a|b"', {"team": "ab"}, False),
        ('team=~".+"', {}, False),
        ('team=~".*"', {}, True),
        ('team!~"a|b"', {"team": "c"}, True),
        ('team!~"a|b"', {"team": "a"}, False),
        ('team!~".+"', {}, True),
        ('team=~"a.b"', {"team": "a\nb"}, False),
        (r'team=~"\\d+"', {"team": "٣"}, False),
        (r'team=~"\\pL+"', {"team": "é"}, True),
        ('team=~"(?i)DISK"', {"team": "disk"}, True),
        ('team=~"x?"', {"team": "\ud800"}, False),
    ],
)
def test_an_expression_must_fit_the_whole_value_and_a_missing_label_is_empty(matcher, labels, fits):
    assert all_fit(parse_matchers(matcher), labels) is fits


def test_the_first_matcher_that_does_not_fit_is_named():
    matchers = parse_matchers('a="1",b="2",c="3"')
    assert str(unfit(matchers, {"a": "1", "c": "4"})) == 'b="2"'


def test_an_expression_takes_linear_time():
    began = time.perf_counter()
    assert not all_fit(parse_matchers('a=~"(x+x+)+y"'), {"a": "x" * 5_000})
    assert time.perf_counter() - began < 1


@pytest.mark.parametrize(
    ("text", "nothing"), [('a=~".*"', True), ('a!="b"', True), ('a="b"', False), ('a=~".+"', False)]
)
def test_a_silence_must_ask_for_something(text: str, nothing: bool):
    assert match_nothing_given(parse_matchers(text)) is nothing


def test_there_are_at_most_64_matchers():
    with pytest.raises(BadConfiguration, match="at most 64 matchers, got 65"):
        parse_all(f'l{number}="v"' for number in range(65))


names = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=20)
values = st.text(st.characters(exclude_categories=("Cs",)), max_size=30)
literal_matchers = st.builds(Matcher, names, st.sampled_from(["=", "!="]), values)


@given(st.lists(literal_matchers, max_size=4))
def test_what_is_written_is_read_again(matchers: list[Matcher]):
    assert parse_matchers(written(tuple(matchers))) == tuple(matchers)
    assert parse_all(map(str, matchers)) == tuple(matchers)


@given(literal_matchers, st.dictionaries(names, values, max_size=3))
def test_a_matcher_and_its_opposite_never_agree(matcher: Matcher, labels: dict[str, str]):
    opposite = Matcher(matcher.name, "!=" if matcher.operator == "=" else "=", matcher.value)
    assert matcher.matches(labels) is not opposite.matches(labels)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str):
    with contextlib.suppress(BadConfiguration):
        matchers = parse_matchers(text)
        assert parse_matchers(written(matchers)) == matchers
