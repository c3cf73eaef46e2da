"""The command line in this process, so that a test needs no second for every verb."""

import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from events import RecountError
from services.cli.__main__ import build_app

_APP = build_app()


class Said:
    """What a verb printed, and how it ended."""

    def __init__(self, code: int, out: str, err: str, error: RecountError | None) -> None:
        self.code = code
        self.out = out
        self.err = err
        self.error = error

    @property
    def json(self) -> Any:
        """What it printed, as JSON."""
        return json.loads(self.out)


class Recount:
    """Verbs against one data folder."""

    def __init__(self, data: Path) -> None:
        self._data = data

    def ask(self, *arguments: str, typed: str | None = None) -> Said:
        """Run a verb, whether or not it succeeds. An unforeseen error fails the test."""
        result = CliRunner().invoke(_APP, list(arguments), input=typed, env={"RECOUNT_DATA": str(self._data)})
        error = result.exception
        if error is not None and not isinstance(error, RecountError | SystemExit):
            raise error
        return Said(result.exit_code, result.stdout, result.stderr, error if isinstance(error, RecountError) else None)

    def do(self, *arguments: str, typed: str | None = None) -> Said:
        """Run a verb that succeeds."""
        said = self.ask(*arguments, typed=typed)
        assert said.code == 0, f"recount {' '.join(arguments)}: {said.error or said.err or said.out}"
        return said

    def refused(self, *arguments: str) -> RecountError:
        """Run a verb that is refused, and give the reason."""
        said = self.ask(*arguments)
        assert said.code == 1
        assert said.error is not None
        return said.error
