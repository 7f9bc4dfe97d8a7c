"""Where a feed goes on after a rebalance, whatever else happens while the broker is asked."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from faust.types import TP

from stream import retry
from stream.consumer.batch import Committed
from stream.consumer.feeds import SourceFeed
from stream.observability.instruments import Instruments
from tests.fakes.consumer import FakeConsumer

ORDERS = TP("orders", 0)


class FeedUnderTest:
    """One feed, of a topic that may be made anew."""

    def __init__(self) -> None:
        self.consumer = FakeConsumer()
        self.name = "first/0"
        self.feed = SourceFeed(ORDERS, self.called, self.consumer, Instruments())  # type: ignore[arg-type]

    async def called(self, tp: TP) -> str:
        return self.name

    async def begun(self) -> None:
        async with asyncio.timeout(5):
            while self.feed.next is None:  # noqa: ASYNC110 - it has no event for that
                await asyncio.sleep(0)


@pytest.fixture
async def world(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FeedUnderTest]:
    monkeypatch.setattr(retry, "FIRST_SECONDS", 0.0)
    made = FeedUnderTest()
    await made.begun()
    yield made
    await made.feed.leave()


async def test_a_feed_goes_on_behind_what_another_has_committed(world: FeedUnderTest) -> None:
    world.consumer.known = Committed(7, "first/0")
    await world.feed.resume()
    assert (world.feed.next, world.consumer.moves[-1]) == (7, (ORDERS, 7))


async def test_a_feed_asks_again_when_the_broker_does_not_answer(world: FeedUnderTest) -> None:
    world.consumer.known, world.consumer.failures = Committed(7, "first/0"), 3
    await world.feed.resume()
    assert (world.feed.next, world.consumer.failures) == (7, 0)


async def test_a_topic_made_anew_while_the_broker_is_asked_is_read_from_its_start(world: FeedUnderTest) -> None:
    world.consumer.known = Committed(7, "first/0")
    world.consumer.asked.clear()
    world.consumer.answer.clear()
    resuming = asyncio.create_task(world.feed.resume())
    await world.consumer.asked.wait()
    world.name = "second/0"
    world.feed.check([world.name])
    world.consumer.answer.set()
    await resuming
    await world.begun()
    assert (world.feed.name, world.feed.next, set(world.consumer.moves)) == ("second/0", 0, {(ORDERS, 0)})


async def test_a_feed_whose_start_fails_is_parked(caplog: pytest.LogCaptureFixture) -> None:
    """Nobody awaits the start: without that the feed would read nothing for ever, and nobody would know."""

    async def nameless(tp: TP) -> str:
        raise LookupError(f"{tp.topic} has no name")

    feed = SourceFeed(ORDERS, nameless, FakeConsumer(), Instruments())  # type: ignore[arg-type]
    async with asyncio.timeout(5):
        while feed.parked is None:  # noqa: ASYNC110 - it has no event for that
            await asyncio.sleep(0)
    assert feed.parked == "feed orders/0: it cannot be begun: LookupError('orders has no name')"
    assert not feed.wanted
    assert [record.levelname for record in caplog.records] == ["CRITICAL"]
    await feed.leave()
