"""Tens of thousands of outputs of one tick: a day ends for a whole shard, and the worker is killed on the way.

`OUTPUTS=100000` for as many as that, which takes minutes.
"""

import os
import time
from pathlib import Path

import pytest

from bench.engines.shop import LoadShop
from stream.local import LocalServers
from tests.chaos.outputs import identities
from tests.chaos.shop_front import Topics
from tests.chaos.system import System, await_true

ITEMS = int(os.environ.get("OUTPUTS", "20000"))
SECONDS = 900.0


@pytest.mark.timeout(3 * SECONDS)
def test_each_of_many_outputs_is_published_once_although_the_worker_dies_on_the_way(
    servers: LocalServers, app: str, topic_prefix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shop = LoadShop(ITEMS, 1)
    with System(servers.kafka, servers.redis, app, tmp_path, partitions="1") as system:
        system.publish(shop.terms(ITEMS))
        system.work_off(seconds=SECONDS)
        topics = Topics(system.kafka, f"{system.name}.")
        assert not topics.read("reviews")
        system.publish(shop.next_day())

        start = time.monotonic()
        doomed = system.start()
        await_true(lambda: system.ends("reviews")[0] > ITEMS // 3, SECONDS, doomed.tail)
        doomed.kill()
        before = len(topics.read("reviews"))
        system.work_off(seconds=SECONDS)
        reviews = topics.read("reviews")
        with capsys.disabled():
            print(
                f"\n{len(reviews):,} reviews of one tick, {before:,} before the kill: {time.monotonic() - start:.0f} s"
            )
        assert not list(identities({"reviews": reviews}))
        assert 0 < before < ITEMS
        assert len(reviews) == ITEMS
        audit = system.run("audit", seconds=SECONDS)
        assert audit.returncode == 0, audit.stdout
