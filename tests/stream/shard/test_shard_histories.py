"""Thousands of short histories of one shard, with a crash possible between any two steps, and a forgetful store.

Whatever happens on the way, in the end every output was published once, and the state is the fold of ledger and
journal.
"""

import logging
import os
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.fakes.shard_history import Step, run, shortest, steps_of

HISTORIES = int(os.environ.get("HISTORIES", "2000"))
"""`HISTORIES=10000 make test TEST=tests/stream/shard/test_shard_histories.py` for more of them."""
SEED = int(os.environ.get("SEED", "1"))


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Thousands of shards would log thousands of faults."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def test_every_output_is_published_once_and_the_state_follows_the_journal(toy_core: Any) -> None:
    start = time.perf_counter()
    for seed in range(SEED, SEED + HISTORIES):
        steps = steps_of(seed)
        if wrong := run(steps, toy_core):
            raise AssertionError(describe(seed, wrong, shortest(steps, lambda fewer: bool(run(fewer, toy_core)))))
    print(f"{HISTORIES} histories from seed {SEED} in {time.perf_counter() - start:.1f} s")


def describe(seed: int, wrong: str, steps: list[Step]) -> str:
    return f"seed {seed}: {wrong}; it takes no more than\n" + "\n".join(f"  {step}" for step in steps)
