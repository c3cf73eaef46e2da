"""Laws about projections: each file is one SELECT that gives the same rows for the same log, always."""

import re
from pathlib import Path

import duckdb

from tests.tidy.tree import at, files

REFRESH = ("stream", "closure", "view")

_CLOCK = "'now' comes from the view `clock`"
_SAME_ROWS = "the same log must give the same rows"
_DOUBLES = "a sum of doubles depends on the order: sum whole microseconds or decimals, then divide"
_FORBIDDEN = {
    r"\b(now|today|get_current_timestamp|get_current_time|transaction_timestamp)\s*\(": _CLOCK,
    r"\b(current_date|current_time|current_timestamp|localtime|localtimestamp)\b": _CLOCK,
    r"\b(random|uuid|uuidv4|uuidv7|gen_random_uuid|setseed|nextval)\s*\(": _SAME_ROWS,
    r"\b(using\s+sample|tablesample)\b": _SAME_ROWS,
    r"\b(any_value|arbitrary|first|last|mode)\s*\(": "which row it takes is open: use arg_min or arg_max by seq",
    r"\b(avg|mean|favg|fsum|kahan_sum|sumkahan)\s*\(": _DOUBLES,
    r"\bsum\s*\([^()]*::\s*(double|float|real)\b": _DOUBLES,
    r"\b(timestamptz|timestamp\s+with\s+time\s+zone|at\s+time\s+zone)\b": "every time is a UTC timestamp",
    r"\b(main|temp|memory)\.": "an unqualified name is what lets `as of` put another log under it",
}
_AGGREGATES_WITH_ORDER = re.compile(r"\b(string_agg|group_concat|listagg|list|array_agg|json_group_array)\s*\(", re.I)
_WINDOWS_WITH_ORDER = re.compile(
    r"\b(row_number|rank|dense_rank|ntile|lag|lead|first_value|last_value|nth_value)\s*\([^()]*(\([^()]*\)[^()]*)*\)"
    r"\s*(ignore\s+nulls\s*)?over\s*\(",
    re.I,
)


def each_file_is_one_select(root: Path) -> list[str]:
    """One statement, and it reads."""
    complaints = []
    for path in files(root, ".sql", under=("projections",)):
        try:
            statements = duckdb.extract_statements(path.read_text())
        except duckdb.Error as error:
            complaints.append(f"{at(root, path)} is not SQL: {error}")
            continue
        kinds = [statement.type.name for statement in statements]
        # A statement with INSERT inside a CTE is typed SELECT too.
        writes = re.search(r"\b(insert\s+into|update\s+\w+\s+set|delete\s+from|merge\s+into)\b", code_of(path), re.I)
        if kinds != ["SELECT"] or writes:
            complaints.append(f"{at(root, path)} holds {kinds or 'no statement'}; a projection is one SELECT")
    return complaints


def each_file_has_a_header(root: Path) -> list[str]:
    """A sentence, then grain, key and refresh, as comments before the first line of SQL."""
    complaints = []
    for path in files(root, ".sql", under=("projections",)):
        header = [line.removeprefix("--").strip() for line in _header_lines(path)]
        if not header or ":" in header[0].partition(" ")[0] or not header[0]:
            complaints.append(f"{at(root, path)} does not begin with a sentence that says what a row means")
        for field in ("grain", "key", "refresh"):
            if not any(re.match(rf"{field}:\s*\S", line) for line in header):
                complaints.append(f"{at(root, path)} has no line '-- {field}: …' in its header")
        for line in header:
            if (found := re.match(r"refresh:\s*(\w+)", line)) and found[1] not in REFRESH:
                complaints.append(f"{at(root, path)} has refresh {found[1]}; it is one of {', '.join(REFRESH)}")
    return complaints


def same_log_same_rows(root: Path) -> list[str]:
    """No word that makes the rows depend on the time, on chance, or on the order in which threads finish."""
    complaints = []
    for path in files(root, ".sql", under=("projections",)):
        code = code_of(path)
        for pattern, reason in _FORBIDDEN.items():
            for found in re.finditer(pattern, code, re.I):
                complaints.append(f"{at(root, path, _line(code, found.start()))} says {found[0]!r}: {reason}")
        for pattern, reason in ((_AGGREGATES_WITH_ORDER, "order by"), (_WINDOWS_WITH_ORDER, "order by")):
            for found in pattern.finditer(code):
                if reason not in re.sub(r"\s+", " ", _parenthesis(code, found.end() - 1)).lower():
                    complaints.append(f"{at(root, path, _line(code, found.start()))}: {found[1]} needs an `order by`")
        if re.search(r"\blimit\b", code, re.I) and not re.search(r"\border\s+by\b", code, re.I):
            complaints.append(f"{at(root, path)} has a limit without an order")
    return complaints


def each_file_has_a_test(root: Path) -> list[str]:
    """``incidents.sql`` comes with ``tests/projections/test_incidents.py``."""
    return [
        f"{at(root, path)} has no tests/projections/test_{path.stem}.py"
        for path in files(root, ".sql", under=("projections",))
        if not (root / "tests" / "projections" / f"test_{path.stem}.py").exists()
    ]


def code_of(path: Path) -> str:
    """The SQL of a file with comments and text literals blanked; lines keep their numbers."""
    text = re.sub(r"--[^\n]*", "", path.read_text())
    text = re.sub(r"/\*.*?\*/", lambda found: "\n" * found[0].count("\n"), text, flags=re.S)
    return re.sub(r"'(?:[^']|'')*'", "''", text)


def _header_lines(path: Path) -> list[str]:
    lines = path.read_text().splitlines()
    end = next((number for number, line in enumerate(lines) if not line.startswith("--")), len(lines))
    return lines[:end]


def _parenthesis(code: str, start: int) -> str:
    depth = 0
    for place in range(start, len(code)):
        depth += {"(": 1, ")": -1}.get(code[place], 0)
        if depth == 0:
            return code[start : place + 1]
    return code[start:]


def _line(code: str, place: int) -> int:
    return code.count("\n", 0, place) + 1
