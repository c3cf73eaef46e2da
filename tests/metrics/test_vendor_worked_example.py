"""One incident, eight products, eight answers: what each would report of the same facts.

Time to acknowledge spans 3 to 20 minutes and time to recover 40 to 70, and none of them is wrong about its own
definition. So no figure of Recount is called by such a name alone.
"""

from tests.projections.vendor_story import minutes, worked_example

# What each calls time to detect, to acknowledge and to recover, in minutes; None where it measures no such thing.
ANSWERS = {
    "pagerduty": ((None, None), ("mean time to acknowledge", 5), ("mean time to resolve", 58)),
    "firehydrant": (("MTTD", 10), ("MTTA", 17), ("MTTR", 70)),
    "rootly": (("time to detection", 10), ("time to acknowledge", 17), ("time to resolution", 70)),
    "thehive": (("time to detect", 12), ("time to acknowledge", 20), ("time to resolve", 50)),
    "grafana_oncall": ((None, None), ("response_time", 3), (None, None)),
    "goalert": ((None, None), ("time_to_ack", 5), ("time_to_close", 58)),
    "keep": (("mean time to detect", 2), (None, None), ("mean time to resolve", 60)),
    "datadog": (("Time to Detect", 10), (None, None), ("Time to Resolve", 58)),
}
ALSO_CALLED_RECOVERY = {("rootly", "duration (older docs)"): 50, ("datadog", "Time to Repair"): 40}


def test_the_same_facts_give_each_product_its_own_answer():
    story = worked_example()
    shown = {vendor: minutes(vendor, story) for vendor in ANSWERS}
    for vendor, answers in ANSWERS.items():
        assert {name: shown[vendor][name] for name, _ in answers if name} == {
            name: value for name, value in answers if name
        }, vendor
    assert {key: shown[key[0]][key[1]] for key in ALSO_CALLED_RECOVERY} == ALSO_CALLED_RECOVERY


def test_recount_says_which_of_them_it_means():
    durations = {
        row["metric"]: row["duration_us"] / 60_000_000
        for row in worked_example().view("measurements").rows
        if row["state"] == "measured"
    }
    assert durations == {
        "ttd": 10,  # from the impact to the first alert
        "tta_detect": 7,  # nobody was paged, so there is no tta
        "ttdecl": 2,
        "ttc": 40,
        "ttc_impact": 50,
        "ttm": 50,
        "ttm_detect": 40,
        "ttr_recover": 70,
        "ttr_respond": 60,
        "active_time": 60,
        "eu_dora_duration": 70,  # the regulation's, from the impact to the resolution
        "eu_dora_downtime": 50,
    }
