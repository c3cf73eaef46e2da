"""Alerts that are held back: by what, for how long, and what becomes of them."""

from events.alert import AlertPassedOver, AlertSnoozed
from events.incident import AlertLinked, IncidentDeclared, IncidentResolved
from events.inhibition import InhibitionHeldAlert, InhibitionSourceCleared, InhibitionSourceFired
from events.silence import SilenceHeldAlert
from tests.services.incidents.alerts import alert_key
from tests.services.incidents.desk import Desk

INHIBIT = """
[[inhibit]]
name = "node down"
source = ['severity="critical"']
target = ['severity=~"warning|error"']
equal = ["cluster"]
"""
NIGHT = """
[route]
mute_time_intervals = ["nine"]
[time_intervals.nine]
zone = "UTC"
[[time_intervals.nine.times]]
times = ["09:00-10:00"]
"""


async def test_a_silenced_alert_is_held_and_gets_its_incident_when_the_silence_runs_out():
    desk = Desk()
    await desk.silence('service="checkout"', minutes=30)
    await desk.fires("CheckoutErrors")
    assert (await desk.held(), await desk.placed()) == ([("silenced", "sil-1")], [])
    assert [key for key, _fact in await desk.said(SilenceHeldAlert)] == ["sil-1"]
    await desk.later(minutes=29)
    assert await desk.placed() == []
    await desk.later(minutes=1)
    assert await desk.placed() == [("INC-1", "CheckoutErrors")]
    assert len(await desk.held()) == 1


async def test_a_silence_that_somebody_ends_frees_its_alerts_at_once_into_one_incident():
    desk = Desk()
    await desk.silence('service="checkout"', hours=5)
    for name in ("CheckoutErrors", "CheckoutSlow"):
        await desk.fires(name)
    await desk.end()
    assert await desk.placed() == [("INC-1", "CheckoutErrors"), ("INC-1", "CheckoutSlow")]


async def test_a_silence_that_lasts_longer_holds_longer_and_says_so_once():
    desk = Desk()
    await desk.silence('service="checkout"', minutes=10)
    await desk.fires("CheckoutErrors")
    await desk.extend(hours=2)
    await desk.later(hours=1)
    assert (len(await desk.held()), await desk.placed()) == (1, [])
    await desk.later(hours=1)
    assert await desk.placed() == [("INC-1", "CheckoutErrors")]


async def test_an_alert_that_clears_under_a_silence_opens_nothing():
    desk = Desk()
    await desk.silence('service="checkout"', minutes=10)
    await desk.fires("CheckoutErrors")
    await desk.clears("CheckoutErrors")
    await desk.later(hours=1)
    assert await desk.placed() == []


async def test_what_a_silence_lets_go_may_be_held_by_another():
    desk = Desk()
    await desk.silence('service="checkout"', minutes=30)
    await desk.fires("CheckoutErrors")
    await desk.silence('alertname="CheckoutErrors"', silence_id="sil-2", minutes=60)
    await desk.later(minutes=30)
    assert await desk.held() == [("silenced", "sil-1"), ("silenced", "sil-2")]
    await desk.later(minutes=30)
    assert await desk.placed() == [("INC-1", "CheckoutErrors")]


async def test_a_silence_that_fits_another_service_holds_nothing():
    desk = Desk()
    await desk.silence('service="search"', minutes=30)
    await desk.fires("CheckoutErrors")
    assert await desk.placed() == [("INC-1", "CheckoutErrors")]


async def test_an_alert_that_joined_before_the_silence_stays():
    desk = Desk()
    await desk.fires("CheckoutErrors")
    await desk.silence('service="checkout"', minutes=30)
    await desk.fires("CheckoutSlow")
    assert await desk.placed() == [("INC-1", "CheckoutErrors")]
    await desk.later(minutes=30)
    assert await desk.placed() == [("INC-1", "CheckoutErrors"), ("INC-1", "CheckoutSlow")]


async def test_delivered_again_in_any_order_nothing_more_is_said():
    desk = Desk(INHIBIT)
    await desk.silence('service="search"', minutes=30)
    await desk.fires("NodeDown", cluster="a")
    await desk.fires("PodSlow", severity="error", service="pods", cluster="a")
    await desk.fires("SearchSlow", service="search")
    await desk.later(hours=1)
    await desk.clears("NodeDown")
    before = await desk.log.last_position()
    await desk.again()
    assert await desk.log.last_position() == before


async def test_while_one_alert_fires_its_consequences_are_held_and_then_get_their_incident():
    desk = Desk(INHIBIT)
    await desk.fires("NodeDown", service="nodes", cluster="a")
    await desk.fires("PodSlow", service="pods", severity="error", cluster="a")
    await desk.fires("PodSlow-b", service="pods-b", severity="error", cluster="b")
    assert await desk.held() == [("inhibited", "node down")]
    assert await desk.placed() == [("INC-1", "NodeDown"), ("INC-2", "PodSlow-b")]
    (_key, held), *_ = await desk.said(InhibitionHeldAlert)
    assert (held.alert_key, held.source_alert_key) == (alert_key("PodSlow"), alert_key("NodeDown"))
    await desk.clears("NodeDown")
    assert len(await desk.said(InhibitionSourceCleared)) == len(await desk.said(InhibitionSourceFired)) == 1
    assert await desk.placed() == [("INC-1", "NodeDown"), ("INC-2", "PodSlow-b"), ("INC-3", "PodSlow")]


async def test_two_sources_hold_until_both_have_cleared():
    desk = Desk(INHIBIT)
    for name in ("NodeDown", "RackDown"):
        await desk.fires(name, service="nodes", cluster="a")
    await desk.fires("PodSlow", service="pods", severity="error", cluster="a")
    await desk.clears("NodeDown")
    assert ("INC-2", "PodSlow") not in await desk.placed()
    await desk.clears("RackDown")
    assert ("INC-2", "PodSlow") in await desk.placed()


async def test_a_source_that_calms_down_without_clearing_counts_as_severe_as_it_was():
    desk = Desk(INHIBIT)
    await desk.fires("NodeDown", service="nodes", cluster="a")
    await desk.fires("NodeDown", service="nodes", severity="info", cluster="a")  # a clearing was lost
    await desk.fires("PodSlow", service="pods", severity="error", cluster="a")
    assert ("INC-2", "PodSlow") in await desk.placed()


async def test_muted_times_hold_until_they_are_over():
    desk = Desk(NIGHT)
    await desk.fires("CheckoutErrors")
    assert await desk.held() == [("muted", "nine")]
    await desk.later(minutes=59)
    assert await desk.placed() == []
    await desk.later(minutes=1)
    assert await desk.placed() == [("INC-1", "CheckoutErrors")]


async def test_new_rules_free_what_the_old_ones_held():
    desk = Desk(NIGHT)
    await desk.fires("CheckoutErrors")
    await desk.publish("[route]\nopens_at = 'error'\n")
    assert await desk.placed() == [("INC-1", "CheckoutErrors")]
    ((_id, linked),) = await desk.said(AlertLinked)
    assert (linked.route, linked.rules_seq) == ("default", await desk.log.last_position() - 3)


async def test_new_inhibition_counts_for_what_fires_already():
    desk = Desk()
    await desk.fires("NodeDown", service="nodes", cluster="a")
    await desk.publish(INHIBIT)
    await desk.fires("PodSlow", service="pods", severity="error", cluster="a")
    assert await desk.held() == [("inhibited", "node down")]


async def test_old_inhibition_holds_nothing_once_its_rule_is_gone():
    desk = Desk(INHIBIT)
    await desk.fires("NodeDown", service="nodes", cluster="a")
    await desk.fires("PodSlow", service="pods", severity="error", cluster="a")
    await desk.publish("[route]\n")
    assert ("INC-2", "PodSlow") in await desk.placed()


async def test_new_rules_change_nothing_that_was_decided():
    desk = Desk()
    await desk.fires("CheckoutSlow", severity="warning")
    await desk.publish("[route]\nopens_at = 'info'\n")
    before = await desk.log.last_position()
    await desk.again()
    assert (await desk.placed(), await desk.log.last_position()) == ([], before)


async def test_a_flapping_alert_wakes_somebody_once_it_has_settled():
    desk = Desk('[flapping]\nchanges = 4\nwithin = "10m"\nsettle = "5m"\n')
    for _ in range(3):
        await desk.fires("CheckoutErrors", severity="warning")
        await desk.later(minutes=1)
        await desk.clears("CheckoutErrors")
        await desk.later(minutes=1)
    await desk.fires("CheckoutErrors")
    assert await desk.placed() == []
    assert set(await desk.held()) == {("flapping", "flapping")}
    await desk.later(minutes=4)
    assert await desk.placed() == []
    await desk.later(minutes=1)
    assert await desk.placed() == [("INC-1", "CheckoutErrors")]


async def test_an_alert_snoozed_at_its_sender_waits_when_it_was_held_till_then():
    desk = Desk()
    await desk.silence('service="checkout"', minutes=10)
    await desk.fires("CheckoutErrors")
    until_at = desk.clock.now().replace(hour=11)
    await desk.say(f"alert.{alert_key('CheckoutErrors')}", AlertSnoozed(until_at=until_at))
    await desk.later(minutes=10)
    assert await desk.held() == [("silenced", "sil-1"), ("snoozed", "sender")]
    await desk.later(hours=2)
    assert await desk.placed() == [("INC-1", "CheckoutErrors")]


async def test_a_new_group_waits_before_it_opens_and_nobody_hears_of_what_clears_meanwhile():
    desk = Desk('[route]\ngroup_wait = "1m"\n')
    await desk.fires("CheckoutErrors")
    await desk.fires("SearchErrors", service="search")
    assert await desk.held() == [("grouping", "default"), ("grouping", "default")]
    await desk.clears("SearchErrors")
    await desk.later(minutes=1)
    assert await desk.placed() == [("INC-1", "CheckoutErrors")]
    await desk.fires("CheckoutSlow")
    assert await desk.placed() == [("INC-1", "CheckoutErrors"), ("INC-1", "CheckoutSlow")]


async def test_groups_are_made_by_labels_where_a_route_says_so():
    desk = Desk('[route]\ngroup_by = ["cluster"]\npolicy = "database"\n')
    await desk.fires("DiskFull", service="db", cluster="a")
    await desk.fires("Slow", service="api", cluster="a")
    await desk.fires("DiskFull-b", service="db", cluster="b")
    assert await desk.placed() == [("INC-1", "DiskFull"), ("INC-1", "Slow"), ("INC-2", "DiskFull-b")]
    (_id, declared), *_ = await desk.said(IncidentDeclared)
    assert (declared.rule, declared.policy, bool(declared.group_key)) == ("by cluster", "database", True)
    assert declared.reason == "severity critical is at least error, and no incident of cluster=a was open"


async def test_an_incident_takes_new_alerts_only_within_the_window_of_its_group():
    desk = Desk('[route]\ngroup_window = "2h"\n')
    await desk.fires("CheckoutErrors")
    await desk.later(hours=2)
    await desk.fires("CheckoutSlow")
    await desk.later(seconds=1)
    await desk.fires("CheckoutQueue")
    assert await desk.placed() == [
        ("INC-1", "CheckoutErrors"),
        ("INC-1", "CheckoutSlow"),
        ("INC-2", "CheckoutQueue"),
    ]


async def test_an_alert_joins_the_open_incident_of_what_its_service_needs():
    desk = Desk('[services.checkout]\ndepends_on = ["database"]\n')
    await desk.fires("DatabaseDown", service="database")
    await desk.fires("CheckoutErrors")
    assert await desk.placed() == [("INC-1", "DatabaseDown"), ("INC-1", "CheckoutErrors")]
    _first, (_id, linked) = await desk.said(AlertLinked)
    assert linked.reason.endswith("this incident about database, which checkout depends on, is open")


async def test_a_route_that_only_joins_opens_nothing():
    desk = Desk('[route]\n[[route.routes]]\nname = "mild"\nmatchers = [\'alertname="Slow"\']\naction = "join"\n')
    await desk.fires("Slow")
    (_key, passed_over), *_ = await desk.said(AlertPassedOver)
    assert passed_over.reason == "no incident about checkout was open, and route default/mild only joins"
    await desk.fires("CheckoutErrors")
    await desk.fires("Slow")
    assert await desk.placed() == [("INC-1", "CheckoutErrors"), ("INC-1", "Slow")]


async def test_an_incident_is_resolved_when_its_alerts_have_been_clear_for_long_enough():
    desk = Desk('[route]\nresolve_after_clear = "10m"\n')
    for name in ("CheckoutErrors", "CheckoutSlow"):
        await desk.fires(name)
    await desk.clears("CheckoutErrors")
    await desk.later(minutes=11)
    await desk.clears("CheckoutSlow")
    await desk.later(minutes=9)
    assert await desk.said(IncidentResolved) == []
    await desk.later(minutes=1)
    ((incident_id, resolved),) = await desk.said(IncidentResolved)
    assert incident_id == "INC-1"
    assert resolved.summary == "its 2 alerts have been clear for 10m, as its route says"


async def test_an_incident_whose_alert_fires_again_is_not_resolved():
    desk = Desk('[route]\nresolve_after_clear = "10m"\n')
    await desk.fires("CheckoutErrors")
    await desk.clears("CheckoutErrors")
    await desk.later(minutes=5)
    await desk.fires("CheckoutErrors")
    await desk.later(hours=1)
    assert await desk.said(IncidentResolved) == []


async def test_a_storm_under_one_silence_is_held_and_freed_in_few_appends():
    desk = Desk()
    await desk.silence('service="checkout"', minutes=10)
    for number in range(300):
        await desk.fires(f"host-{number}")
    assert len(await desk.held()) == 300
    await desk.later(minutes=10)
    assert [incident_id for incident_id, _title in await desk.placed()] == ["INC-1"] * 300
