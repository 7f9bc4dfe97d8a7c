"""A worker whose Faust part has crashed ends at once, so that a supervisor starts another: it never stays up idle."""

import time
from pathlib import Path

from stream.local import LocalServers
from tests.chaos.system import System

SECONDS = 60.0
"""Time to start and to end on a busy machine; a worker that did not end by itself would stay for ever."""


def test_a_worker_that_cannot_be_given_partitions_ends_with_one_clear_line(
    servers: LocalServers, app: str, topic_prefix: str, tmp_path: Path
) -> None:
    with System(servers.kafka, servers.redis, app, tmp_path) as system:
        start = time.monotonic()
        worker = system.start(bug="crash_in_recovery")
        assert worker.wait(SECONDS) == 70
    assert time.monotonic() - start < SECONDS
    lines = [line for line in worker.tail(1000).splitlines() if "cannot go on" in line]
    assert len(lines) == 1, worker.tail()
    assert "ends: TypeError" in lines[0]
