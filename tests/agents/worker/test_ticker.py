"""When a worker ticks: always with a wall clock; without one only as long as a tick reports something new."""

import asyncio
from functools import partial
from typing import Any

import pytest
from faust.types import TP

from agents.worker import ticker
from agents.worker.ticker import Ticker
from schemas.ledger import FoldSettings
from stream.consumer.feeds import SourceFeed
from tests.fakes.standing_feed import StandingFeed

ORDERS = TP("orders", 0)


class ReadersOfOne:
    def __init__(self, feed: SourceFeed) -> None:
        self.by_partition = {ORDERS: feed}


class Rounds:
    """Lets `keep_ticking` go round without waiting, and counts what it does."""

    def __init__(self, feed: SourceFeed, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ticks = self.sleeps = 0
        parts: dict[str, Any] = {"readers": ReadersOfOne(feed), "intake": self, "consumer": None}
        self._ticker = partial(Ticker, **parts, feed_names=self._feed_names, fold_settings=FoldSettings(), seconds=1.0)
        self._real_sleep = asyncio.sleep
        monkeypatch.setattr(asyncio, "sleep", self._sleep)

    async def go(self, rounds: int, *, wall_clock: bool) -> None:
        ticking = asyncio.create_task(self._ticker(wall_clock=wall_clock).keep_ticking())
        await self.rounds(rounds)
        self.ticking = ticking

    async def rounds(self, rounds: int) -> None:
        until = self.sleeps + rounds
        while self.sleeps <= until:
            await self._real_sleep(0)

    async def _feed_names(self) -> list[str]:
        return []

    async def tick(self, *_: object) -> None:
        """What intake does for a tick."""
        self.ticks += 1

    async def _sleep(self, _: float) -> None:
        self.sleeps += 1
        await self._real_sleep(0)


async def test_without_a_wall_clock_a_change_is_reported_twice_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ticker, "QUIET_SECONDS", 3_600.0)
    feed = StandingFeed()
    rounds = Rounds(feed, monkeypatch)

    await rounds.go(10, wall_clock=False)
    assert rounds.ticks == 2, "a drained feed follows the others one tick later, so it takes two"

    feed.next = 6
    await rounds.rounds(10)
    assert rounds.ticks == 4
    rounds.ticking.cancel()


async def test_without_a_wall_clock_quiet_feeds_are_reported_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ticker, "QUIET_SECONDS", 0.0)
    rounds = Rounds(StandingFeed(), monkeypatch)

    await rounds.go(10, wall_clock=False)
    assert rounds.ticks >= 10
    rounds.ticking.cancel()


async def test_a_wall_clock_ticks_always(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ticker, "QUIET_SECONDS", 3_600.0)
    rounds = Rounds(StandingFeed(), monkeypatch)

    await rounds.go(10, wall_clock=True)
    assert rounds.ticks >= 10
    rounds.ticking.cancel()
