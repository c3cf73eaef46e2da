"""A responder's night in a real browser: log in, declare, take it in hand, and see it change without a reload."""

from playwright.sync_api import Browser, Page, expect

from tests.browser.chromium import IN_A_BROWSER, PHONE, fits
from tests.services.web.stack import Stack

pytestmark = IN_A_BROWSER


def test_an_incident_from_declaration_to_resolution(page: Page, recount: Stack, complaints: list[str]):
    page.get_by_role("link", name="Declare").click()
    page.get_by_label("What is wrong").fill("checkout answers 500")
    page.get_by_label("Severity").select_option("sev1")
    page.get_by_label("Service").fill("checkout")
    page.get_by_role("button", name="Declare").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("checkout answers 500")
    expect(page.locator("#timeline")).to_contain_text("declared sev1")
    assert "min_position" not in page.url
    incident = page.url.rpartition("/")[2]

    page.get_by_role("button", name="Acknowledge").click()
    expect(page.locator("#timeline")).to_contain_text("acknowledged by Ada Lovelace")
    page.locator("summary", has_text="Assign a role").click()
    page.get_by_label("Who").first.select_option(label="Grace Hopper")
    page.get_by_role("button", name="Assign a role").click()
    expect(page.locator("#head")).to_contain_text("Grace Hopper")
    page.get_by_label("Add to the timeline").fill("rolling back to 2.41.3")
    page.get_by_role("button", name="Add note").click()
    expect(page.locator("#timeline")).to_contain_text("Ada Lovelace: rolling back to 2.41.3")

    # Somebody else acts meanwhile; the page shows it without a reload, and what is being typed stays.
    expect(page.locator("#live-state")).to_have_text("live")
    page.evaluate("window.wasNotReloaded = true")
    page.get_by_label("Add to the timeline").fill("half a sente")
    with recount.client(**{"Recount-Actor": "bob"}) as bob:
        assert bob.post(f"/api/incidents/{incident}/severity", json={"severity": "sev2"}).is_success
        assert bob.post(f"/api/incidents/{incident}/note", json={"text": "error rate is falling"}).is_success
    expect(page.locator("#timeline")).to_contain_text("Bob Kahn: error rate is falling")
    expect(page.locator("#head .severity")).to_have_text("sev2")
    expect(page.get_by_label("Add to the timeline")).to_have_value("half a sente")
    assert page.evaluate("window.wasNotReloaded")
    times = page.locator("#timeline > li > time").evaluate_all("times => times.map(time => time.dateTime)")
    assert times == sorted(times, reverse=True)

    page.locator("summary", has_text="Resolve").click()
    page.locator("details[open] textarea").last.fill("rolled back")
    page.get_by_role("button", name="Resolve").click()
    expect(page.locator("#head .phase")).to_have_text("resolved")

    # A page of the past is still, and says so.
    page.locator("#timeline li").last.get_by_role("link", name="as known then").click()
    expect(page.locator(".then")).to_contain_text("As known at log position")
    expect(page.locator("#timeline > li")).to_have_count(1)
    assert complaints == []


def test_the_list_changes_without_a_reload(page: Page, recount: Stack, complaints: list[str]):
    page.goto("/")
    expect(page.locator("#live-state")).to_have_text("live")
    recount.declare("the queue is stuck", "sev2")
    expect(page.locator("#incidents")).to_contain_text("the queue is stuck")
    assert complaints == []


def test_every_page_fits_a_phone(page: Page, recount: Stack, complaints: list[str]):
    incident = recount.declare("a" * 120 + " averyveryverylongwordwithoutanyspace" * 3, service="payments-eu-central-1")
    page.set_viewport_size(PHONE)
    for path in (
        "/",
        f"/incidents/{incident}",
        f"/incidents/{incident}?as_of={recount.position()}",
        f"/postmortem/{incident}",
        "/declare",
        "/oncall",
        "/sql",
    ):
        page.goto(path)
        assert fits(page), path
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_role("region", name="Result")).to_be_visible()
    assert fits(page)
    assert complaints == []


def test_without_scripts_everything_works_by_reloading(browser: Browser, recount: Stack):
    with browser.new_context(base_url=recount.url, java_script_enabled=False) as context:
        page = context.new_page()
        page.goto("/login")
        page.get_by_label("Your handle").fill("bob")
        page.get_by_label("Access token").fill(recount.secrets.admin_token.secret)
        page.get_by_role("button", name="Log in").click()
        page.goto(f"/incidents/{recount.declare('no scripts here')}")
        page.get_by_role("button", name="Acknowledge").click()
        expect(page.locator("#timeline")).to_contain_text("acknowledged by Bob Kahn")
        page.locator("summary", has_text="Change severity").click()
        page.locator("details[open] select").select_option("sev1")
        page.get_by_role("button", name="Change severity").click()
        expect(page.locator("#head .severity")).to_have_text("sev1")
