"""From a noisy alert to a silence and back, in a real browser: what fires, why, what would be silenced, and its end."""

import os

from playwright.sync_api import Page, expect

from events.alert import AlertFired, AlertSeverity
from events.ids import key_of
from tests.browser.chromium import IN_A_BROWSER, PHONE, fits
from tests.services.web.stack import Stack, eventually

pytestmark = IN_A_BROWSER

# Where screenshots go, for whoever wants to look at them; nowhere when it is not set.
SHOTS = os.environ.get("RECOUNT_SHOTS", "")


def shoot(page: Page, name: str) -> None:
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)


def fire(recount: Stack, title: str, severity: AlertSeverity, service: str, **labels: str) -> str:
    key = key_of("key-browser", title)
    fired = AlertFired(
        integration="key-browser",
        sender="alertmanager",
        fingerprint=title,
        occurrence=1,
        title=title,
        severity=severity,
        service=service,
        labels={"alertname": title, "service": service} | labels,
        annotations={"summary": f"{title} on {labels.get('host', 'all hosts')}"},
    )
    recount.append(f"alert.{key}", fired)
    return key


def test_a_noisy_alert_is_silenced_and_looked_at_again(page: Page, recount: Stack, complaints: list[str]):
    loud = fire(recount, "BatchErrors", "critical", "batch", host="batch-1")
    fire(recount, "BatchSlow", "warning", "batch", host="batch-2")
    with recount.client() as client:
        eventually(lambda: client.get(f"/api/alerts/{loud}").json()["alert"]["incident_id"])
    page.goto("/alerts")
    expect(page.locator("#alerts")).to_contain_text("BatchErrors")
    expect(page.locator("#live-state")).to_have_text("live")
    # It comes without a reload.
    quiet = fire(recount, "NightlyBackupLate", "info", "backup", host="backup-1")
    expect(page.locator("#alerts")).to_contain_text("NightlyBackupLate")
    shoot(page, "alerts")

    page.get_by_role("link", name="BatchErrors").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("BatchErrors")
    expect(page.locator(".why")).to_contain_text("What did not happen")
    page.locator(".decision summary").first.click()
    expect(page.locator(".decision").first).to_contain_text("severity of default")
    shoot(page, "alert")

    page.goto(f"/alerts/{quiet}")
    page.get_by_label("Alerts that fit all of these").fill('service=~"backup|batch"\nhost=~"ba.*"')
    page.get_by_role("textbox", name="Why").fill("the disks are being replaced")
    page.get_by_role("button", name="See what would fit").click()
    expect(page.locator("#preview")).to_contain_text("NightlyBackupLate")
    expect(page.locator("#preview")).to_contain_text("BatchErrors")
    expect(page.locator("#preview")).to_contain_text("in an incident already")
    shoot(page, "silence-new")
    page.get_by_role("button", name="Silence", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("the disks are being replaced")
    expect(page.locator("#head .state")).to_have_text("active")
    silence = page.url.partition("?")[0]

    # What fires now and fits is held back, and the page says so without a reload.
    held = fire(recount, "BackupFailed", "critical", "backup", host="backup-1")
    expect(page.locator("#around")).to_contain_text("BackupFailed")
    shoot(page, "silence")
    page.goto(f"/alerts/{held}")
    expect(page.locator("#head")).to_contain_text("silenced")
    expect(page.locator(".why .absent")).to_contain_text("it is held back (silenced")
    shoot(page, "alert-held")
    page.goto(silence)
    page.get_by_role("button", name="End it now").click()
    expect(page.locator("#head .state")).to_have_text("ended")

    def placed() -> bool:
        with recount.client() as client:
            return bool(client.get(f"/api/alerts/{held}").json()["alert"]["incident_id"])

    eventually(placed)
    page.goto(f"/alerts/{held}")
    expect(page.locator("#head")).to_contain_text("INC-")
    incident = page.locator("#head a").first.inner_text()
    page.goto(f"/incidents/{incident}")
    page.locator("summary", has_text="Why was this opened").click()
    expect(page.locator("details.asked .why")).to_contain_text("What led to it")
    shoot(page, "incident")
    assert complaints == []


def test_the_pages_of_alerts_fit_a_phone_by_day_and_night(page: Page, recount: Stack, complaints: list[str]):
    key = fire(recount, "averyveryverylongname" * 6, "critical", "payments" * 20, host="h" * 90)
    with recount.client() as client:
        sent = client.post("/api/rules", json={"text": '[route]\nopens_at = "error"\n', "note": "as before"})
        assert sent.is_success, sent.text
    page.set_viewport_size(PHONE)
    for path in (
        "/alerts",
        f"/alerts/{key}",
        "/silences",
        "/silences/new?matchers=a%3Db",
        "/rules",
        f"/why?about={key}",
    ):
        page.goto(path)
        assert fits(page), path
    page.goto("/metrics")
    expect(page.locator(".top nav [aria-current]")).to_be_in_viewport(ratio=1)
    page.emulate_media(color_scheme="dark")
    page.goto(f"/alerts/{key}")
    shoot(page, "alert-phone-dark")
    page.goto("/rules")
    shoot(page, "rules-phone-dark")
    assert complaints == []
