"""A new version with another layout and another rule takes over, is rolled back, and Redis is rewound across both."""

import shutil
import time
from pathlib import Path

from stream.local import LocalServers
from tests.chaos.run import Run

SLICES, EVENTS = 14, 25


def test_an_upgrade_publishes_nothing_twice_or_otherwise(servers: LocalServers, app: str, tmp_path: Path) -> None:
    files = servers.directory / "redis" / "appendonlydir"
    with Run(servers.kafka, servers.redis, app, tmp_path, 20260304) as run:
        run.repeats_letters = True
        run.system.start()
        run.open()
        run.publish(SLICES, EVENTS)
        run.system.settle()
        time.sleep(1.1)  # the file is written every second
        shutil.copytree(files, tmp_path / "before")
        assert run.system.stop() == [0]

        for version in ("next_version", ""):
            assert run.system.start(bug=version).wait() == 2, "a version read another's layout"
            rebuilt = run.system.run("rebuild", bug=version)
            assert rebuilt.returncode == 0, rebuilt.stderr
            run.system.start(bug=version)
            run.publish(SLICES, EVENTS)
            run.system.settle()
            assert run.system.stop() == [0]

        servers.redis_process.kill()
        shutil.rmtree(files)
        shutil.copytree(tmp_path / "before", files)
        servers.redis_process.start()
        run.system.start()
        run.publish(SLICES, EVENTS)
        report = run.finish()
    assert not report.violations, report
