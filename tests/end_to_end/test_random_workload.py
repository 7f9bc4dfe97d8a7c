"""All event types, honest and otherwise, through two workers; and the same when one is killed and Redis forgets."""

from pathlib import Path

import pytest
import redis

from stream.local import LocalServers
from tests.chaos.run import Run

SLICES, EVENTS = 72, 25
"""Six days in slices of two hours."""


@pytest.mark.parametrize("seed", [20260301])
def test_two_workers_do_what_a_naive_fold_says(seed: int, servers: LocalServers, app: str, tmp_path: Path) -> None:
    with Run(servers.kafka, servers.redis, app, tmp_path, seed) as run:
        run.system.start()
        run.open()
        run.publish(SLICES // 3, EVENTS)
        second = run.system.start()
        run.repeats_letters = True  # as a rebalance may
        run.publish(SLICES // 3, EVENTS)
        second.await_joined()
        run.publish(SLICES // 3, EVENTS)
        report = run.finish()
    assert not report.violations, report
    assert report.counts["replenishments"] > 20, report.counts
    assert report.counts["alerts"] > 50, report.counts
    assert report.counts["refused"] > 20, report.counts


@pytest.mark.parametrize("seed", [20260302])
def test_two_workers_do_the_same_when_one_is_killed_and_redis_forgets(
    seed: int, servers: LocalServers, app: str, tmp_path: Path
) -> None:
    with Run(servers.kafka, servers.redis, app, tmp_path, seed) as run:
        first = run.system.start()
        run.system.start()
        run.open()

        def trouble(number: int) -> None:
            if number == SLICES // 3:
                first.kill()
                run.repeats_letters = True
                run.system.start(RESTOCK_TRACES="http://127.0.0.1:9")  # one with traces follows one without
            elif number == SLICES * 2 // 3:
                run.system.alive()[-1].await_joined()
                with redis.Redis.from_url(servers.redis) as store:
                    store.flushall()

        run.publish(SLICES, EVENTS, trouble)
        run.system.settle()
        report = run.finish()
    assert not report.violations, report
    assert report.counts["replenishments"] > 20, report.counts
