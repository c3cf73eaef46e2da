"""Everything survives SIGTERM and a new start, and a second platform in the same folder is refused."""

import httpx

from tests.e2e.conftest import Mailbox
from tests.e2e.deployment import Deployment, wait_for
from tests.platform import run_cli


def alert(deployment: Deployment, key: str, **more: str) -> None:
    answer = httpx.post(
        f"{deployment.platform.intake_url}/hooks/json/{deployment.platform.keys['json']}",
        json={"title": "checkout answers 500", "key": key, "severity": "critical", "service": "checkout", **more},
    )
    assert answer.is_success, answer.text


def test_what_was_known_before_a_restart_is_known_after_it(deployment: Deployment, mailbox: tuple[Mailbox, int]):
    alert(deployment, "checkout-5xx")
    deployment.rows("select 1 from pages where state = 'sent'")
    deployment.ask("note", "INC-1", text="rolling back release 2026.11.3")
    position = deployment.caught_up()
    views = ("incidents", "alerts", "pages", "people", "on_call_now", "incident_timeline", "responders")
    before = {view: deployment.sql(f"select * from {view} order by all") for view in views}
    former = deployment.platform

    deployment.stop()
    deployment.start()

    assert deployment.platform.token == former.token
    assert deployment.platform.keys == former.keys
    deployment.caught_up()
    assert {view: deployment.sql(f"select * from {view} order by all") for view in views} == before
    started = "select count(*) as count from log where type = 'system.started' and seq > {}"
    assert deployment.sql(started.format(position))[0]["count"] >= 1

    alert(deployment, "checkout-5xx", state="resolved")
    deployment.rows("select 1 from alerts where state = 'cleared'")
    deployment.ask("resolve", "INC-1", summary="rolled back")
    deployment.rows("select 1 from incidents where phase = 'resolved'")
    box, _port = mailbox
    assert len(box.to("ada@example.org")) == 1, "a restart must not page again"
    assert deployment.differences() == []


def test_what_became_due_while_everything_was_down_is_done_at_the_start(
    deployment: Deployment, mailbox: tuple[Mailbox, int]
):
    alert(deployment, "checkout-5xx")
    (level,) = deployment.rows("select seq from log where type = 'escalation.level_reached'")
    deployment.stop()
    # The level has 300 s, so nothing is due; what was received is still decided once, and only once.
    deployment.start()
    deployment.caught_up()
    assert deployment.sql("select seq from log where type = 'escalation.level_reached'") == [level]
    wait_for(lambda: mailbox[0].to("ada@example.org"), "ada has mail")


def test_a_second_platform_in_the_same_folder_is_refused_and_names_the_first(deployment: Deployment):
    second = run_cli("up", "--data", str(deployment.platform.data), "--json")
    assert second.returncode != 0
    assert deployment.platform.url in second.stderr or "pid" in second.stderr, second.stderr
    assert "hint:" in second.stderr
    assert deployment.sql("select 1 as one") == [{"one": 1}]
