"""The same log gives the same rows at any number of threads and in any time zone."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

DIGESTS = """
import json, sys
from projections.warehouse import Warehouse
from tests.projections.histories import random_history
history = random_history(42, 400)
with Warehouse.open(threads=int(sys.argv[1])) as warehouse:
    if sys.argv[2] == "live":
        for start in range(0, len(history), 100):
            warehouse.apply(history[start : start + 100])
    else:
        warehouse.load(history)
        warehouse.rebuild()
    as_of = len(history) if sys.argv[2] == "as of" else None
    print(json.dumps(warehouse.digests(as_of=as_of)))
"""


def test_digests_do_not_depend_on_threads_zone_or_lens():
    machines = [("1", "live", "UTC"), ("2", "rebuilt", "Asia/Kolkata"), ("2", "as of", "America/St_Johns")]
    children = [
        subprocess.Popen(
            [sys.executable, "-c", DIGESTS, threads, lens],
            cwd=ROOT,
            env={**os.environ, "TZ": zone},
            stdout=subprocess.PIPE,
            text=True,
        )
        for threads, lens, zone in machines
    ]
    answers = [child.communicate(timeout=120)[0] for child in children]
    assert all(child.returncode == 0 for child in children)
    first, *others = map(json.loads, answers)
    assert len(first) > 20
    for (threads, lens, zone), digests in zip(machines[1:], others, strict=True):
        differing = [name for name in first if digests[name] != first[name]]
        assert not differing, f"{differing} differ with {threads} threads, {lens}, in {zone}"
