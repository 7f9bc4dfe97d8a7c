"""The simulation fails when it should: without any one of its rules a shard fails within a few thousand histories."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from tests.chaos.planted import planted
from tests.fakes.shard_history import run, shortest, steps_of

MOST = 4000


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize(
    "bug",
    [
        "no_fencing_of_the_store",
        "no_fencing_of_the_publisher",
        "checkpoint_ahead_of_its_publication",
        "lost_gap_check",
        "journal_ignored",
        "begun_tick_forgotten",
        "tick_saved_ahead_of_its_publication",
        "place_in_the_journal_forgotten",
        "no_seal",
        "changed_checkpoint_believed",
        "core_kept",
        "decision_remade_in_replay",
    ],
)
def test_a_planted_bug_is_found_and_its_history_shortened(bug: str, toy_core: Any) -> None:
    with planted(bug):
        found = next((seed for seed in range(1, MOST) if run(steps_of(seed), toy_core)), None)
        assert found is not None, f"{bug} was not noticed in {MOST} histories"
        steps = shortest(steps_of(found), lambda fewer: bool(run(fewer, toy_core)))
        wrong = run(steps, toy_core)
    assert wrong
    assert not run(steps, toy_core), "the history fails without the bug, too"
    print(f"{bug}: seed {found}, {len(steps)} steps: {wrong}")
