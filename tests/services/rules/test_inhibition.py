"""Inhibition: where sources and targets meet, as in Alertmanager."""

from services.rules.inhibition import inhibition_keys
from services.rules.rules_document import parse_rules

NODE_DOWN = parse_rules("""
[[inhibit]]
name = "node down"
source = ['alertname="NodeDown"']
target = ['alertname!="NodeDown"']
equal = ["node"]
""")


def test_sources_and_targets_meet_where_their_labels_agree():
    def at(**labels: str) -> tuple[set[str], set[str]]:
        keys = inhibition_keys(NODE_DOWN, labels)
        return {key.key for key in keys if key.is_source}, {key.key for key in keys if not key.is_source}

    says, _ = at(alertname="NodeDown", node="n1")
    _, looks = at(alertname="Disk", node="n1")
    assert says & looks
    assert not says & at(alertname="Disk", node="n2")[1]
    # A missing label equals an empty one.
    assert at(alertname="NodeDown")[0] & at(alertname="Disk", node="")[1]


def test_alerts_that_fit_both_sides_do_not_hold_each_other_back():
    rules = parse_rules("""
[[inhibit]]
name = "worst"
source = ['severity=~"critical|warning"']
target = ['severity=~"warning|info"']
""")

    def at(severity: str) -> tuple[set[str], set[str]]:
        keys = inhibition_keys(rules, {"severity": severity})
        return {key.key for key in keys if key.is_source}, {key.key for key in keys if not key.is_source}

    assert not at("warning")[0] & at("warning")[1]
    assert at("critical")[0] & at("warning")[1]
    assert at("warning")[0] & at("info")[1]
    assert at("critical")[0] & at("info")[1]


def test_a_label_that_neither_has_is_equal_and_one_that_only_one_has_is_not():
    def meets(source: dict[str, str], target: dict[str, str]) -> bool:
        told = {key.key for key in inhibition_keys(NODE_DOWN, {"alertname": "NodeDown"} | source) if key.is_source}
        looked = {key.key for key in inhibition_keys(NODE_DOWN, {"alertname": "Disk"} | target) if not key.is_source}
        return bool(told & looked)

    assert meets({}, {})
    assert meets({"node": ""}, {})
    assert not meets({"node": "n1"}, {})
    assert not meets({}, {"node": "n1"})


def test_an_alert_never_holds_itself_back():
    rules = parse_rules("""
[[inhibit]]
name = "any"
source = ['alertname=~".+"']
target = ['alertname=~".+"']
""")
    keys = inhibition_keys(rules, {"alertname": "Disk"})
    assert not {key.key for key in keys if key.is_source} & {key.key for key in keys if not key.is_source}
