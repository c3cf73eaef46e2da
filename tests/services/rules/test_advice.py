"""Advice on rules: what is allowed and probably not meant is named, and nothing else is."""

from pathlib import Path

import pytest

from services.rules import rules_document
from services.rules.advice import advice_on
from services.rules.rules_document import parse_rules

PAGING = """
[[route.routes]]
name = "pager"
continue = true
policy = "sre"
[[route.routes]]
name = "payments"
matchers = ['team="payments"']
policy = "payments"
"""


def test_the_example_needs_no_advice():
    assert advice_on(parse_rules(Path(rules_document.__file__).with_name("example.toml").read_text())) == ()
    assert advice_on(parse_rules("")) == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (PAGING, "default/pager says continue and pages policy sre"),
        (PAGING, "does not page for default/payments (policy payments)"),
        (
            "[[route.routes]]\nname='a'\nmatchers=['x=\"1\"']\n[[route.routes]]\nname='b'\nmatchers=['y=2', 'x=1']",
            "route default/b is never asked: default/a before it",
        ),
        (
            "[[route.routes]]\nname='a'\nmatchers=['x=1']\n[[route.routes.routes]]\nname='b'\nmatchers=['x=2']",
            'route default/a/b takes nothing: no alert has x="1" and x="2"',
        ),
        ("[[route.routes]]\nname='a'\nmatchers=['x=1', 'x!=1']", "takes nothing"),
        (
            "[[severity_of]]\nmatchers=['a=1']\nseverity='error'\n[[severity_of]]\nmatchers=['a=1','b=2']\nseverity='info'",
            "severity_of[1] is never asked: severity_of[0]",
        ),
        ("[time_intervals.night]\n[[time_intervals.night.times]]", "no route names the time interval 'night'"),
        ("[[inhibit]]\nname='x'\nsource=['a=1']\ntarget=['a=1']", "inhibit 'x' holds nothing back"),
        (
            "[services.a]\ndepends_on=['b']\n[services.b]\ndepends_on=['c']\n[services.c]\ndepends_on=['a']",
            "in a circle: a -> b -> c -> a",
        ),
        ("[services.a]\ndepends_on=['a']", "in a circle: a -> a"),
    ],
)
def test_what_is_probably_not_meant_is_named(text: str, said: str):
    (found,) = advice_on(parse_rules(text))
    assert said in found


@pytest.mark.parametrize(
    "text",
    [
        # Only recorded first: the next one decides, and pages.
        PAGING.replace('policy = "sre"', 'action = "record"'),
        # The same policy: nobody is left out.
        PAGING.replace('policy = "payments"', 'policy = "sre"'),
        # Without continue the first is the only one, and the advice is another.
        "[[route.routes]]\nname='a'\nmatchers=['x=1']\n[[route.routes]]\nname='b'\nmatchers=['x=2']",
        "[[route.routes]]\nname='a'\ncontinue=true\n[[route.routes]]\nname='b'\nmatchers=['x=2']",
        "[[inhibit]]\nname='x'\nsource=['a=1']\ntarget=['a=1', 'b=2']",
        "[services.a]\ndepends_on=['b', 'c']\n[services.b]\ndepends_on=['c']",
    ],
)
def test_what_may_be_meant_is_let_alone(text: str):
    assert advice_on(parse_rules(text)) == ()
