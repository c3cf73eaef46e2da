"""Children of the supervisor: started again when they die, reported when they cannot live, ended when asked."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from services.supervisor.child import Child, ChildKeepsDying
from tests.platform import is_alive

WAIT_S = 20.0
# Writes one line a start, then lives until it is told to end.
LIVES = "import sys, time; open(sys.argv[1], 'a').write('started\\n'); time.sleep(600)"
DIES = "import sys; open(sys.argv[1], 'a').write('the port is taken\\n'); sys.exit(3)"
DEAF = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {LIVES}"


def child(tmp_path: Path, program: str) -> Child:
    log = tmp_path / "child.log"
    return Child("actors", [sys.executable, "-I", "-c", program, str(log)], log_file=log)


def lines_of(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


async def until_written(path: Path, lines: int) -> None:
    async with asyncio.timeout(WAIT_S):
        while len(lines_of(path)) < lines:  # noqa: ASYNC110 - another process writes
            await asyncio.sleep(0.01)


async def test_a_child_that_is_killed_is_started_again(tmp_path: Path):
    one = child(tmp_path, LIVES)
    await one.start()
    watch = asyncio.create_task(one.keep_running())
    await until_written(tmp_path / "child.log", 1)
    former = one.pid
    os.kill(former, signal.SIGKILL)
    await until_written(tmp_path / "child.log", 2)
    assert one.pid != former
    await one.stop(grace_s=WAIT_S)
    await asyncio.wait_for(watch, WAIT_S)
    assert not is_alive(one.pid)


async def test_a_child_that_cannot_live_is_reported_with_the_end_of_its_log(tmp_path: Path):
    one = child(tmp_path, DIES)
    await one.start()
    with pytest.raises(ChildKeepsDying) as caught:
        await asyncio.wait_for(one.keep_running(), WAIT_S)
    assert "actors cannot start: it ended with exit code 3 3 times" in str(caught.value)
    assert "the port is taken" in str(caught.value)


async def test_once_everything_is_up_a_child_that_keeps_dying_is_tried_for_ever(tmp_path: Path):
    one = child(tmp_path, DIES)
    one.is_up = True
    await one.start()
    watch = asyncio.create_task(one.keep_running())
    await until_written(tmp_path / "child.log", 4)
    assert not watch.done()
    await one.stop(grace_s=WAIT_S)
    watch.cancel()


async def test_a_child_that_does_not_end_when_asked_is_killed(tmp_path: Path):
    one = child(tmp_path, DEAF)
    await one.start()
    watch = asyncio.create_task(one.keep_running())
    await until_written(tmp_path / "child.log", 1)
    await one.stop(grace_s=0.2)
    await asyncio.wait_for(watch, WAIT_S)
    assert not is_alive(one.pid)
