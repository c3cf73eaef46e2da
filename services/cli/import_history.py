"""``recount import``: take over the incidents of another system, as it knew them and when it knew it."""

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import perf_counter, sleep
from typing import Annotated, Any, BinaryIO

import msgspec
import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from events import RecountError
from services.cli.client import Api, Unavailable, connect
from services.cli.console import DATA_DEFAULT, DataOption, JsonOption, counted, err, note, say, show_json
from services.cli.orders import ActorOption
from services.history.commands import Outcome, Recorded, Snapshot
from services.history.reading import FORMS, SNAPSHOT_BYTES_MAX, BadLine, Entry, Form, line_schema, scan, snapshots

# An order is stored in a few appends; more at once would only make a broken connection cost more.
PART_SNAPSHOTS_MAX = 100
# More complaints than this are not read.
COMPLAINTS_SHOWN_MAX = 20
# Together half a minute, for what the supervisor starts again.
RETRY_PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)
REPORT_SUFFIX = ".refused.jsonl"

Part = list[tuple[Entry, Snapshot]]


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command(name="import")
    def import_history(
        file: Annotated[str, typer.Argument(help="JSON lines; `-` reads them from the standard input.")] = "",
        form: Annotated[
            str, typer.Option("--from", metavar="FORM", help="`recount`, or `statuspage`: lines of its incidents.json.")
        ] = "recount",
        dry_run: Annotated[
            bool, typer.Option("--dry-run", help="Say what would be written, and write nothing.")
        ] = False,
        skip_bad: Annotated[
            bool, typer.Option("--skip-bad", help="Go on after a line that is refused, and report it in a file.")
        ] = False,
        schema: Annotated[bool, typer.Option("--schema", help="Print the JSON Schema of a line.")] = False,
        actor: ActorOption = "",
        data: DataOption = DATA_DEFAULT,
        as_json: JsonOption = False,
    ) -> None:
        """Take over incident histories of another system, with their own times. Doing it twice changes nothing."""
        if schema:
            typer.echo(msgspec.json.format(msgspec.json.encode(line_schema())).decode())
            return
        if not file:
            raise typer.BadParameter("give a file, or `-`", param_hint="FILE")
        kind = next((known for known in FORMS if known == form), None)
        if kind is None:
            raise RecountError(f"there is no form {form!r}", hint=f"Use one of: {', '.join(FORMS)}.")
        with _opened(file) as lines:
            entries, bad = scan(lines, kind)
            if bad and not skip_bad:
                raise _complaint(file, bad)
            run = _Run(file, kind, lines, entries, dry_run=dry_run, skip_bad=skip_bad, as_json=as_json)
            run.refused += bad
            with connect(data, actor=actor) as api:
                run.carry_out(api)
        _conclude(run)


class _Run:
    """One import: what is sent, and what became of it."""

    def __init__(
        self,
        name: str,
        form: Form,
        file: BinaryIO,
        entries: list[Entry],
        *,
        dry_run: bool,
        skip_bad: bool,
        as_json: bool,
    ) -> None:
        self.name = name
        self._form = form
        self.refused: list[BadLine] = []
        self.taken = self.known = self.facts = 0
        self.incidents: set[str] = set()
        self.began = perf_counter()
        self.dry_run = dry_run
        self.skip_bad = skip_bad
        self.as_json = as_json
        self._file = file
        # A rehearsal writes nothing, so all states of an incident must be told at once.
        self._entries = _by_incident(entries) if dry_run else entries

    def carry_out(self, api: Api) -> None:
        """Send everything, part by part.

        Raises:
            RecountError: a snapshot is refused, and is not to be skipped; what came before it is there.
        """
        bar = Progress(
            TextColumn("importing"),
            BarColumn(),
            TextColumn("{task.completed:,.0f} of {task.total:,.0f} states, {task.fields[rate]:,.0f} facts/s"),
            TimeRemainingColumn(),
            console=err,
            disable=self.as_json or self.dry_run or not err.is_terminal,
        )
        with bar:
            task = bar.add_task("", total=len(self._entries), rate=0)
            for part in _parts(snapshots(self._file, self._entries, self._form)):
                self._send(api, part)
                bar.update(task, advance=len(part), rate=self.facts / max(perf_counter() - self.began, 1e-6))

    def _send(self, api: Api, part: Part) -> None:
        body = {
            "snapshots": [snapshot for _entry, snapshot in part],
            "skip_refused": self.skip_bad,
            "dry_run": self.dry_run,
        }
        answer = msgspec.convert(_patiently(lambda: api.post("/api/import", json=msgspec.to_builtins(body))), Recorded)
        for (entry, snapshot), outcome in zip(part, answer.outcomes, strict=False):
            self._hear(entry, snapshot, outcome)

    def _hear(self, entry: Entry, snapshot: Snapshot, outcome: Outcome) -> None:
        if self.as_json:
            show_json(
                {"line": entry.line, "system": entry.system, "id": entry.identifier, **msgspec.to_builtins(outcome)}
            )
        elif self.dry_run and outcome.headlines:
            say(f"line {entry.line}: {entry.identifier} of {entry.system}, as known at {entry.known_at.isoformat()}")
            for headline in outcome.headlines:
                say(f"  {headline}")
        if outcome.problem:
            text = msgspec.json.encode(snapshot).decode()
            refused = BadLine(line=entry.line, path=outcome.path, problem=outcome.problem, hint=outcome.hint, text=text)
            if not self.skip_bad:
                raise RecountError(
                    f"{_where(self.name, refused)}: {outcome.problem}",
                    hint=f"{outcome.hint} What came before it is there; import the whole file again when it is mended.",
                )
            self.refused.append(refused)
            return
        self.taken += bool(outcome.facts)
        self.known += not outcome.facts
        self.facts += outcome.facts
        self.incidents.add(outcome.incident_id)


def _patiently(send: Callable[[], Any]) -> Any:
    """Send, and again when a part of the platform is being restarted: what is there already is not written twice."""
    for pause_s in RETRY_PAUSES_S:
        try:
            return send()
        except Unavailable:
            sleep(pause_s)
    return send()


def _conclude(run: _Run) -> None:
    if run.refused:
        # Beside the file, or here when there is none.
        report = Path(("standard-input" if run.name == "-" else run.name) + REPORT_SUFFIX)
        report.write_bytes(b"".join(msgspec.json.encode(refused) + b"\n" for refused in run.refused))
        note(f"{len(run.refused):,} were refused; {report} says which and why.")
    elapsed = perf_counter() - run.began
    if run.as_json:
        show_json(
            {
                "finished": True,
                "taken": run.taken,
                "known": run.known,
                "refused": len(run.refused),
                "facts": run.facts,
                "incidents": len(run.incidents),
                "elapsed_s": round(elapsed, 3),
            }
        )
        return
    would = "would be written" if run.dry_run else "were written"
    say(
        f"{counted(run.facts, 'fact')} about {counted(len(run.incidents), 'incident')} {would} in {elapsed:.1f} s: "
        f"{counted(run.taken, 'state')} taken over, {run.known:,} known already."
    )


def _parts(placed: Iterable[tuple[Entry, Snapshot]]) -> Iterator[Part]:
    part: Part = []
    size = 0
    for entry, snapshot in placed:
        bytes_more = len(msgspec.json.encode(snapshot))
        if part and (len(part) == PART_SNAPSHOTS_MAX or size + bytes_more > SNAPSHOT_BYTES_MAX):
            yield part
            part, size = [], 0
        part.append((entry, snapshot))
        size += bytes_more
    if part:
        yield part


def _by_incident(entries: Sequence[Entry]) -> list[Entry]:
    first: dict[tuple[str, str], int] = {}
    for number, entry in enumerate(entries):
        first.setdefault((entry.system, entry.identifier), number)
    return sorted(entries, key=lambda entry: first[entry.system, entry.identifier])


@contextmanager
def _opened(name: str) -> Iterator[BinaryIO]:
    """The file, in which one can go back; the standard input is copied to one."""
    with ExitStack() as stack:
        if name == "-":
            copy = stack.enter_context(tempfile.TemporaryFile())
            shutil.copyfileobj(sys.stdin.buffer, copy)
            copy.seek(0)
            yield copy
            return
        try:
            file = stack.enter_context(Path(name).open("rb"))
        except OSError as error:
            raise RecountError(f"{name} cannot be read: {error.strerror}", hint="Give a file of JSON lines.") from error
        yield file


def _complaint(name: str, bad: Sequence[BadLine]) -> RecountError:
    for line in bad[:COMPLAINTS_SHOWN_MAX]:
        note(f"{_where(name, line)}: {line.problem}")
        note(f"  {line.hint}")
    more = f", of which {COMPLAINTS_SHOWN_MAX} are shown" if len(bad) > COMPLAINTS_SHOWN_MAX else ""
    return RecountError(
        f"{name} has {len(bad):,} lines or incidents that cannot be taken over{more}; nothing was written",
        hint="Mend them, or use --skip-bad to leave them out.",
    )


def _where(name: str, line: BadLine) -> str:
    return f"{'standard input' if name == '-' else name}, line {line.line}, {line.path}"
