"""The browser that drives the pages: Debian's chromium, quiet and alone."""

from pathlib import Path

import pytest
from playwright.sync_api import Page

CHROMIUM = Path("/usr/bin/chromium")
# Quiet and alone: no sandbox inside a container, nothing fetched, nothing kept.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PHONE = {"width": 360, "height": 740}

IN_A_BROWSER = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Debian's chromium: apt-get install chromium"),
    # Playwright's own transport is closed by its process, after its loop.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
"""What every test here is marked with."""


def fits(page: Page) -> bool:
    """Whether nothing of a page stands out beside the window."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))
