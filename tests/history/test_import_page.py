"""docs/import.md says what is so."""

import re
from pathlib import Path

from services.history.commands import Snapshot
from services.history.phases import MAY_FOLLOW
from services.history.reading import FORMS, parse_line

PAGE = (Path(__file__).parents[2] / "docs" / "import.md").read_text()


def test_every_example_is_a_line_that_can_be_taken_over():
    examples = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert len(examples) == 2
    for example in examples:
        for path, found in parse_line(example.encode()):
            assert isinstance(found, Snapshot), f"{path}: {found}"


def test_every_field_is_told_of():
    for field in Snapshot.__struct_fields__:
        assert f"`{field}`" in PAGE, field


def test_the_milestones_may_follow_each_other_as_the_page_says():
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \| (`\w+`(?:, `\w+`)*) \|$", PAGE, re.MULTILINE)
    told = {before: set(re.findall(r"\w+", after)) for befores, after in rows for before in re.findall(r"\w+", befores)}
    assert told == {before: set(after) for before, after in MAY_FOLLOW.items() if before and after}


def test_every_form_is_told_of():
    assert all(f"--from {form}" in PAGE for form in FORMS if form != "recount")
