"""Routing: the example of Alertmanager's documentation, and what holds of any tree."""

from hypothesis import given
from hypothesis import strategies as st

from services.rules.matchers import all_fit, parse_matchers
from services.rules.routing import route_of
from services.rules.rules_document import parse_rules
from services.rules.ruleset import RouteRule

# The example of https://prometheus.io/docs/alerting/latest/configuration/#route-related-settings
DOCUMENTED = """
[route]
group_by = ["cluster", "alertname"]
group_wait = "30s"
[[route.routes]]
name = "database"
matchers = ['service=~"mysql|cassandra"']
group_wait = "10s"
[[route.routes]]
name = "frontend"
matchers = ['team="frontend"']
group_by = ["product", "environment"]
[[route.routes.routes]]
name = "dev"
matchers = ['environment="dev"']
continue = true
[[route.routes.routes]]
name = "old browsers"
matchers = ['browser="ie"']
"""
ROOT = parse_rules(DOCUMENTED).route


def taken(**labels: str) -> list[str]:
    return [route.path for route in route_of(ROOT, labels).routes]


def test_the_first_route_that_fits_takes_the_alert():
    assert taken(service="mysql", team="frontend") == ["default/database"]


def test_a_route_none_of_whose_children_fit_keeps_the_alert():
    assert taken(team="frontend") == ["default/frontend"]


def test_what_fits_nowhere_stays_at_the_root():
    assert taken() == ["default"]


def test_continue_asks_the_routes_after_it_too():
    assert taken(team="frontend", environment="dev", browser="ie") == [
        "default/frontend/dev",
        "default/frontend/old browsers",
    ]
    assert taken(team="frontend", environment="dev") == ["default/frontend/dev"]


def test_a_child_inherits_what_it_does_not_say():
    paths = {route.path: route for route in ROOT.walk()}
    assert paths["default/database"].group_by == ("cluster", "alertname")
    assert paths["default/database"].group_wait.total_seconds() == 10
    assert paths["default/frontend/dev"].group_by == ("product", "environment")
    assert paths["default/frontend/dev"].group_wait.total_seconds() == 30


def test_every_route_that_was_asked_is_told_with_what_did_not_fit():
    asked = route_of(ROOT, {"team": "frontend"}).asked
    assert [(each.route.path, str(each.unfit or "")) for each in asked] == [
        ("default", ""),
        ("default/database", 'service=~"mysql|cassandra"'),
        ("default/frontend", ""),
        ("default/frontend/dev", 'environment="dev"'),
        ("default/frontend/old browsers", 'browser="ie"'),
    ]


matchers = st.sampled_from(['a="1"', 'a="2"', 'b=~"1|2"', 'b!="1"', 'c=""']).map(parse_matchers)


def trees(depth: int) -> st.SearchStrategy[RouteRule]:
    children = st.lists(trees(depth - 1), max_size=3).map(tuple) if depth else st.just(())
    return st.builds(RouteRule, path=st.uuids().map(str), matchers=matchers, continues=st.booleans(), routes=children)


roots = st.lists(trees(2), max_size=3).map(lambda routes: RouteRule(routes=tuple(routes)))
label_sets = st.dictionaries(st.sampled_from("abc"), st.sampled_from("12"))


@given(roots, label_sets)
def test_an_alert_always_takes_a_route_that_fits(root: RouteRule, labels: dict[str, str]):
    found = route_of(root, labels)
    assert found.routes
    assert all(all_fit(route.matchers, labels) for route in found.routes)
    assert len({route.path for route in found.routes}) == len(found.routes)


def alertmanagers(route: RouteRule, labels: dict[str, str]) -> list[RouteRule]:
    """`Route.Match` of Alertmanager's dispatch/route.go, word for word."""
    if not all_fit(route.matchers, labels):
        return []
    found: list[RouteRule] = []
    for child in route.routes:
        matches = alertmanagers(child, labels)
        found += matches
        if matches and not child.continues:
            break
    return found or [route]


@given(roots, label_sets)
def test_the_routes_are_those_of_alertmanager(root: RouteRule, labels: dict[str, str]):
    assert list(route_of(root, labels).routes) == alertmanagers(root, labels)
