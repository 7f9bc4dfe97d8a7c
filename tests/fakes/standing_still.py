"""Lets a process stand still, neither answering nor going away, until the test says that it may go on."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SECONDS = 5.0


@contextmanager
def standing_still(pid: int) -> Iterator[None]:
    """Stop every thread of a process for as long as the body runs; signals alone are heeded a moment later."""
    os.kill(pid, signal.SIGSTOP)
    try:
        until = time.monotonic() + SECONDS
        while not _stopped(pid):
            assert time.monotonic() < until, f"process {pid} goes on"
            os.sched_yield()
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def _stopped(pid: int) -> bool:
    states = [stat.read_text().rpartition(") ")[2][0] for stat in Path(f"/proc/{pid}/task").glob("*/stat")]
    return bool(states) and set(states) <= {"T", "t", "Z"}
