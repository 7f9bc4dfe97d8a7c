"""Faults of workers: gone, standing still, slow, started wrongly, or with a bug of `tests/chaos/planted.py`."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from tests.drill.stage import Stage


@contextmanager
def worker_killed(stage: Stage) -> Iterator[None]:
    stage.workers[0].kill()
    yield
    stage.begin_one(0)


@contextmanager
def all_workers_killed(stage: Stage) -> Iterator[None]:
    stage.system.kill()
    yield
    stage.begin()


@contextmanager
def worker_standing_still(stage: Stage) -> Iterator[None]:
    stage.workers[0].pause()
    yield
    stage.workers[0].resume()


@contextmanager
def no_controller(stage: Stage) -> Iterator[None]:
    """Start all workers for intake only, as a deploy with a wrong argument does."""
    stage.end()
    stage.strike()
    stage.begin("--role", "intake")
    yield
    stage.end()
    stage.begin()


def planted(bug: str) -> Callable[[Stage], AbstractContextManager[None]]:
    """Start all workers anew with a bug, and those that follow without it."""

    @contextmanager
    def fault(stage: Stage) -> Iterator[None]:
        stage.end()
        stage.strike()
        stage.begin(bug=bug)
        yield
        stage.begin_anew()

    return fault


@contextmanager
def intake_standing_still(stage: Stage) -> Iterator[None]:
    stage.end()
    stage.begin(bug="intake_stands_still")
    stage.shop.sell(12_000)
    stage.strike()
    yield
    stage.begin_anew()


@contextmanager
def slow_folding(stage: Stage) -> Iterator[None]:
    """Let more orders of one item come than its shard folds."""
    stage.end()
    stage.begin(bug="folding_takes_long")
    stage.shop.sell(12_000)
    stage.shop.rush = 100
    stage.strike()
    yield
    stage.shop.rush = 0
    stage.begin_anew()
