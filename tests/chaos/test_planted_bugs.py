"""The checker fails when it should: it finds the bugs of workers from outside, on real Kafka and Valkey.

Bugs that take a rare interleaving to show are found by the simulation, in
`tests/stream/shard/test_simulation_finds_bugs.py`.
"""

from pathlib import Path

import pytest
import redis

from stream.local import LocalServers
from tests.chaos.checker import Findings
from tests.chaos.run import Run

SLICES, EVENTS = 36, 25


def lived(
    bug: str, servers: LocalServers, app: str, home: Path, *, forget: bool = False, failpoints: str = ""
) -> Findings:
    """A run whose worker has a bug; with `forget`, only after a sound one was killed half-way and Redis emptied."""
    with Run(servers.kafka, servers.redis, app, home, 20260303) as run:
        run.repeats_letters = True
        forgotten: list[int] = []

        def start() -> None:
            sound = forget and not forgotten
            run.system.start(bug="" if sound else bug, RESTOCK_FAILPOINTS=failpoints)

        def trouble(number: int) -> None:
            if number == SLICES // 2 and forget:
                run.system.settle()
                run.system.kill()
                with redis.Redis.from_url(servers.redis) as store:
                    store.flushall()
                forgotten.append(number)
            if not run.system.alive():
                start()

        start()
        run.open()
        run.publish(SLICES, EVENTS, trouble)
        run.system.kill()
        run.system.work_off(bug=bug)
        return run.finish()


def test_without_a_bug_there_is_nothing_to_find(servers: LocalServers, app: str, tmp_path: Path) -> None:
    report = lived("", servers, app, tmp_path, forget=True)
    assert not report.violations, report


@pytest.mark.parametrize(
    "bug, forget, sign",
    [
        ("duplicate_window_off", "", "shown, expected"),
        ("corrections_forgotten", "", "refused by the controller"),
        ("clock_in_the_core", "", "audit"),
        ("journal_ignored", "forget", "published twice"),
        ("decision_remade_by_another_rule", "forget", "audit"),
    ],
)
def test_a_worker_with_a_bug_is_found_out(
    bug: str, forget: str, sign: str, servers: LocalServers, app: str, tmp_path: Path
) -> None:
    report = lived(bug, servers, app, tmp_path, forget=forget == "forget")
    assert any(sign in violation for violation in report.violations), report


def test_a_checkpoint_ahead_of_its_publication_is_found_out(servers: LocalServers, app: str, tmp_path: Path) -> None:
    bug = "checkpoint_ahead_of_its_publication"
    report = lived(bug, servers, app, tmp_path, failpoints="work.before_publish=0.1")
    assert report.violations
