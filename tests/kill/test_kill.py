"""kill -9 under load, seeded: what was answered is in the log exactly once, and everybody who should be paged was."""

import random
import time
from collections import Counter

import pytest

from tests.e2e.conftest import Mailbox
from tests.e2e.deployment import Deployment, wait_for
from tests.kill.load import SERVICES, Load

ROUNDS = [2, pytest.param(20, marks=pytest.mark.soak)]
SEED = 20261125
# Answers that clients must get after a kill before the next one: the platform is back, and under load.
ANSWERS_BETWEEN_KILLS = 40
# The supervisor waits up to 30 s before it starts a process that keeps dying.
BACK_S = 90.0


@pytest.mark.parametrize("rounds", ROUNDS)
@pytest.mark.parametrize("process", ["nats", "actors", "readers"])
def test_nothing_that_was_answered_is_lost_or_doubled(
    deployment: Deployment, mailbox: tuple[Mailbox, int], process: str, rounds: int
):
    chance = random.Random(f"{SEED}-{process}-{rounds}")
    done = deployment.request("POST", "/api/incidents", json={"title": "the war room", "severity": "sev4"})
    assert done.status_code == 201, done.text

    with Load(deployment, seed=SEED) as load:
        for _ in range(rounds):
            before = load.answers
            wait_for(
                lambda before=before: load.answers >= before + ANSWERS_BETWEEN_KILLS, "clients are answered", BACK_S
            )
            time.sleep(chance.uniform(0.0, 0.3))  # not a wait: it moves the kill within the work
            former = deployment.platform.kill(process)
            wait_for(
                lambda former=former: deployment.platform.pids[process] not in (0, former),
                f"{process} is started again",
                BACK_S,
            )
        before = load.answers
        wait_for(lambda: load.answers >= before + ANSWERS_BETWEEN_KILLS, "clients are answered", BACK_S)

    assert load.unexpected == []
    settle(deployment, load)
    every_answered_alert_is_in_the_log_once(deployment, load)
    every_answered_note_is_in_the_log_once(deployment, load)
    one_incident_a_service(deployment)
    nobody_who_should_be_paged_was_not(deployment, mailbox[0])
    assert deployment.sql("select error from dead_letters") == []
    assert deployment.differences() == []
    wait_for(
        lambda: deployment.sql("select counted_through from completeness")[0]["counted_through"] >= len(load.accepted),
        "what was received is counted",
        BACK_S,
    )
    assert deployment.sql("select * from unaccounted_receipts") == []


def settle(deployment: Deployment, load: Load) -> None:
    """Wait until every accepted alert has its incident, and every page an end."""
    wait_for(
        lambda: (
            deployment.sql("select count(*) as n from alerts where incident_id is not null")[0]["n"]
            >= len(load.accepted)
        ),
        "every accepted alert has an incident",
        120,
    )
    wait_for(
        lambda: not deployment.sql("select page_id, state from pages where state in ('requested', 'attempted')"),
        "every page has ended",
        120,
    )
    deployment.caught_up()


def every_answered_alert_is_in_the_log_once(deployment: Deployment, load: Load) -> None:
    times = Counter(fingerprint for _seq, fingerprint in deployment.every_row("alert_fired", "fingerprint"))
    assert load.accepted - set(times) == set(), "answered with 2xx and lost"
    assert [key for key, count in times.items() if count != 1] == [], "stored twice"


def every_answered_note_is_in_the_log_once(deployment: Deployment, load: Load) -> None:
    noted = deployment.every_row("incident_noted", "text")
    times = Counter(text for _seq, text in noted)
    assert {text for text in load.noted if not times[text]} == set(), "answered and lost"
    assert [text for text, count in times.items() if count != 1] == [], "stored twice"
    positions = {text: seq for seq, text in noted}
    assert {text for text, seq in load.noted.items() if seq and seq != positions[text]} == set()


def one_incident_a_service(deployment: Deployment) -> None:
    rows = deployment.sql(
        "select service, count(*) as n from incidents where service <> '' group by all order by service"
    )
    assert [(row["service"], row["n"]) for row in rows] == [(service, 1) for service in sorted(SERVICES)]


def nobody_who_should_be_paged_was_not(deployment: Deployment, box: Mailbox) -> None:
    levels = deployment.sql(
        "select stream, run, round, level, count(*) as n from escalation_level_reached group by all"
    )
    assert {row["stream"].partition(".")[2] for row in levels} >= {
        row["incident_id"] for row in deployment.sql("select incident_id from incidents where service <> ''")
    }
    assert [row for row in levels if row["n"] != 1] == [], "a level was asked twice"
    pages = deployment.sql("select page_id, state, possibly_duplicate from pages")
    assert pages
    assert {page["state"] for page in pages} <= {"sent", "answered"}
    mails = Counter(page_of(mail["Message-ID"], pages) for mail in box.mails)
    assert {page["page_id"] for page in pages if not mails[page["page_id"]]} == set(), "a page did not go out"
    twice = {page for page, count in mails.items() if count > 1}
    marked = {page["page_id"] for page in pages if page["possibly_duplicate"]}
    assert twice <= marked, "sent twice and not marked as possibly duplicate"


def page_of(message_id: str, pages: list[dict]) -> str:
    return next(page["page_id"] for page in pages if page["page_id"] in message_id)
