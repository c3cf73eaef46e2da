"""A platform, and a browser in which somebody is logged in."""

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from tests.browser.chromium import CHROMIUM, FLAGS
from tests.services.web.stack import Stack, running


@pytest.fixture(scope="session")
def recount(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A running platform with ada, bob and grace."""
    with running(tmp_path_factory.mktemp("recount")) as stack:
        yield stack


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=os.fspath(CHROMIUM), headless=True, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def complaints() -> list[str]:
    """What a page wrote to its console: errors, and violations of the content policy."""
    return []


@pytest.fixture
def page(recount: Stack, browser: Browser, complaints: list[str]) -> Iterator[Page]:
    """A browser in which ada logged in through the form."""
    with browser.new_context(base_url=recount.url) as context:
        page = context.new_page()
        page.set_default_timeout(15_000)

        def complain(message: ConsoleMessage) -> None:
            if message.type in ("error", "warning"):
                complaints.append(message.text)

        page.on("console", complain)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto("/oncall")
        page.get_by_label("Your handle").fill("ada")
        page.get_by_label("Access token").fill(recount.secrets.admin_token.secret)
        page.get_by_role("button", name="Log in").click()
        expect(page).to_have_url(f"{recount.url}/oncall")
        yield page
