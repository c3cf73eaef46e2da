"""The documentation says what there is: generated pages are fresh, and every verb, setting and variable is told."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import msgspec
import pytest
import typer.main

from projections.catalog import read_catalog
from services.cli.__main__ import build_app
from services.cli.reference import events_page, projections_page
from services.settings import Settings

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
OPERATING = ROOT / "docs" / "operating.md"

# Between the supervisor and its children: nobody sets it.
INTERNAL_VARIABLES = {"RECOUNT_SUPERVISED"}
# Taken from the environment, not from the file, or told by the program itself.
NOT_IN_THE_FILE = {"nats_url", "file"}


def everything_told() -> str:
    return "\n".join(page.read_text() for page in PAGES)


def test_the_page_about_facts_is_fresh():
    assert (ROOT / "docs" / "events.md").read_text() == events_page(), "stale: run `make docs`"


def test_the_page_about_views_is_fresh():
    assert (ROOT / "docs" / "projections.md").read_text() == projections_page(read_catalog()), "stale: run `make docs`"


def test_every_verb_is_told():
    told = OPERATING.read_text()
    verbs = typer.main.get_group(build_app()).commands
    missing = [verb for verb in verbs if f"`{verb}`" not in told]
    assert not missing, f"docs/operating.md, 'Verbs', does not tell of {missing}"


def test_every_verb_that_is_told_exists():
    verbs = typer.main.get_group(build_app()).commands
    for page in PAGES:
        for verb in re.findall(r"(?:^|[`/ ])recount ([a-z][a-z-]+)(?=[ `])", "\n".join(code_of(page.read_text()))):
            assert verb in verbs, f"{page.name} tells of `recount {verb}`, which does not exist"


def test_every_setting_is_told():
    told = OPERATING.read_text()
    missing = [
        name for name, pattern in settings_of(Settings) if name not in NOT_IN_THE_FILE and not re.search(pattern, told)
    ]
    assert not missing, f"docs/operating.md, 'Configuration', does not tell of {missing}"


def test_every_environment_variable_is_told():
    used = {
        name
        for source in (ROOT / "services").rglob("*.py")
        for name in re.findall(r"\bRECOUNT_[A-Z_]+[A-Z]\b", source.read_text())
    }
    told = everything_told()
    missing = sorted(name for name in used - INTERNAL_VARIABLES if f"`{name}`" not in told)
    assert not missing, f"no page tells of {missing}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path):
    for target in re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", page.read_text()):
        assert (page.parent / target).exists(), f"{page.name} links to {target}, which does not exist"


def code_of(text: str) -> Iterator[str]:
    """What a page shows as code: fenced blocks and inline spans."""
    yield from re.findall(r"^```[a-z]*\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    yield from (f"`{span}`" for span in re.findall(r"(?<!`)`([^`\n]+)`(?!`)", text))


def settings_of(kind: type[msgspec.Struct], table: str = "") -> Iterator[tuple[str, str]]:
    """Each setting and a pattern of how a page writes it: ``smtp.port``, ``rotations.<id>.members``."""
    hints = get_type_hints(kind)
    for field in msgspec.structs.fields(kind):
        name = f"{table}{field.encode_name}"
        inner = _table_of(hints[field.name])
        if inner is None:
            yield name, rf"`[^`]*(?<![\w.]){re.escape(name).replace('<id>', '<[a-z]+>')}(?!\w)[^`]*`"
        else:
            yield from settings_of(inner, f"{name}.<id>." if get_origin(hints[field.name]) is dict else f"{name}.")


def _table_of(hint: Any) -> type[msgspec.Struct] | None:
    candidates = (hint, *(get_args(hint) if get_origin(hint) is not tuple else ()))
    return next((each for each in candidates if isinstance(each, type) and issubclass(each, msgspec.Struct)), None)
