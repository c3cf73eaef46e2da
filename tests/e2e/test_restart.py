"""Everything survives SIGTERM and a new start, and a second platform in the same folder is refused."""

import subprocess

import httpx

from tests.e2e.conftest import Mailbox
from tests.e2e.platform import RECOUNT, Platform, environment, wait_for


def alert(platform: Platform, key: str, **more: str) -> None:
    answer = httpx.post(
        f"{platform.said['intake_url']}/hooks/json/{platform.said['keys']['json']}",
        json={"title": "checkout answers 500", "key": key, "severity": "critical", "service": "checkout", **more},
    )
    assert answer.is_success, answer.text


def test_what_was_known_before_a_restart_is_known_after_it(platform: Platform, mailbox: tuple[Mailbox, int]):
    alert(platform, "checkout-5xx")
    platform.rows("select 1 from pages where state = 'sent'")
    platform.ask("note", "INC-1", text="rolling back release 2026.11.3")
    position = platform.caught_up()
    views = ("incidents", "alerts", "pages", "people", "on_call_now", "incident_timeline", "responders")
    before = {view: platform.sql(f"select * from {view} order by all") for view in views}
    said = dict(platform.said)

    platform.stop()
    platform.start()

    assert platform.said["token"] == said["token"]
    assert platform.said["keys"] == said["keys"]
    platform.caught_up()
    assert {view: platform.sql(f"select * from {view} order by all") for view in views} == before
    started = "select count(*) as count from log where type = 'system.started' and seq > {}"
    assert platform.sql(started.format(position))[0]["count"] >= 1

    alert(platform, "checkout-5xx", state="resolved")
    platform.rows("select 1 from alerts where state = 'cleared'")
    platform.ask("resolve", "INC-1", summary="rolled back")
    platform.rows("select 1 from incidents where phase = 'resolved'")
    box, _port = mailbox
    assert len(box.to("ada@example.org")) == 1, "a restart must not page again"
    assert platform.differences() == []


def test_what_became_due_while_everything_was_down_is_done_at_the_start(
    platform: Platform, mailbox: tuple[Mailbox, int]
):
    alert(platform, "checkout-5xx")
    (level,) = platform.rows("select seq from log where type = 'escalation.level_reached'")
    platform.stop()
    # The level has 300 s, so nothing is due; what was received is still decided once, and only once.
    platform.start()
    platform.caught_up()
    assert platform.sql("select seq from log where type = 'escalation.level_reached'") == [level]
    wait_for(lambda: mailbox[0].to("ada@example.org"), "ada has mail")


def test_a_second_platform_in_the_same_folder_is_refused_and_names_the_first(platform: Platform):
    second = subprocess.run(
        [*RECOUNT, "up", "--data", platform.data, "--json"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=environment(),
    )
    assert second.returncode != 0
    assert platform.said["url"] in second.stderr or "pid" in second.stderr, second.stderr
    assert "hint:" in second.stderr
    assert platform.sql("select 1 as one") == [{"one": 1}]
