"""Runs a program that must not outlive its parent: ``python tether.py PARENT_PID PROGRAM ARGUMENT...``.

On Linux the kernel is asked to send SIGTERM when the parent dies, and the program takes the place of this one. On
other systems this one stays, and a pipe on standard input tells that the parent is gone. Only the standard library is
used, so that it starts in a few milliseconds.
"""

import ctypes
import os
import signal
import subprocess
import sys
import threading

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main() -> None:
    """Run the program given on the command line, tethered to the parent given before it."""
    parent, program = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        _become(parent, program)
    else:
        sys.exit(_watch_over(program))


def _become(parent: int, program: list[str]) -> None:
    # The request survives execve (prctl(2)), unless the program is set-user-ID.
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:  # it died before the request was made
        sys.exit(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.execvp(program[0], program)


def _watch_over(program: list[str]) -> int:
    child = subprocess.Popen(program, stdin=subprocess.DEVNULL)
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())

    def until_parent_is_gone() -> None:
        while sys.stdin.buffer.read(1):
            pass
        child.terminate()

    threading.Thread(target=until_parent_is_gone, daemon=True).start()
    return child.wait()


if __name__ == "__main__":
    main()
