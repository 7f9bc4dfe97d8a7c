"""Thousands of short histories of one feed: zombies, failed deliveries, late arrivals, processes that come and go."""

import logging
import os
import time
from collections.abc import Iterator

import pytest

from tests.chaos.planted import planted
from tests.fakes.intake_history import run, steps_of
from tests.fakes.shard_history import shortest

HISTORIES = int(os.environ.get("HISTORIES", "1500"))
SEED = int(os.environ.get("SEED", "1"))


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def test_every_movement_changes_its_item_once() -> None:
    start = time.perf_counter()
    for seed in range(SEED, SEED + HISTORIES):
        if wrong := run(steps_of(seed)):
            steps = shortest(steps_of(seed), lambda fewer: bool(run(fewer)))
            lines = "\n".join(f"  {step}" for step in steps)
            raise AssertionError(f"seed {seed}: {wrong}; it takes no more than\n{lines}")
    print(f"{HISTORIES} histories from seed {SEED} in {time.perf_counter() - start:.1f} s")


def test_without_prev_movements_are_lost() -> None:
    with planted("prev_ignored"):
        found = next((seed for seed in range(1, 3000) if run(steps_of(seed))), None)
        assert found is not None, "nobody noticed that `prev` was ignored"
        steps = shortest(steps_of(found), lambda fewer: bool(run(fewer)))
        assert run(steps)
    assert not run(steps), "the history fails without the bug, too"
