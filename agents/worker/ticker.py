"""What happens by itself in a worker: it ticks, and it notices when there is nothing left to do."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from agents.intake.intake import Intake
from stream.consumer.feeds import SourceFeed
from stream.consumer.readers import Readers
from stream.consumer.transport import Consumer
from stream.shard.owner import Owner

POLL_SECONDS = 0.05
LAST_TICKS = 4
"""Written before an idle worker stops: a quiet feed follows the others one tick later."""
QUIET_SECONDS = 0.5
"""Without a wall clock a tick that says what the last two said can wait for so long: other workers' feeds may have
moved, and only then does it matter."""


class Ticker:
    """The rhythm of one worker."""

    def __init__(
        self, readers: Readers, intake: Intake, consumer: Callable[[], Consumer], tick: Callable[[], Awaitable[None]]
    ) -> None:
        self._readers = readers
        self._intake = intake
        self._consumer = consumer
        self._tick = tick

    async def keep_ticking(self, seconds: float, *, wall_clock: bool = True) -> None:
        """Tell the ledger how far the feeds are, for ever."""
        told: list[object] = []
        ticked_at = time.monotonic()
        while True:
            await asyncio.sleep(seconds)
            progress = self._progress()
            if wall_clock or told != [progress, progress] or time.monotonic() - ticked_at >= QUIET_SECONDS:
                await self._tick()
                told, ticked_at = [*told[-1:], progress], time.monotonic()

    async def idle(self, seconds: float) -> None:
        """Return when nothing but ticks has come for so long, and the last progress is folded."""
        await _until(lambda: time.monotonic() - self._busy_at() >= seconds and self._caught_up())
        for _ in range(LAST_TICKS):
            await self._tick()
            await self._fold_all()

    def _progress(self) -> object:
        """What a tick would say of the feeds."""
        feeds = ((tp, reader) for tp, reader in self._readers.by_partition.items() if isinstance(reader, SourceFeed))
        return {tp: (feed.next, feed.read_up_to, feed.drained) for tp, feed in feeds}

    def _owners(self) -> list[Owner]:
        return [reader for reader in self._readers.by_partition.values() if isinstance(reader, Owner)]

    def _busy_at(self) -> float:
        return max([self._intake.busy_at, *(owner.busy_at for owner in self._owners())])

    def _caught_up(self) -> bool:
        """Whether every reader stands at the end of its partition; a parked one stands where it can."""
        readers = self._readers.by_partition
        return bool(readers) and all(
            reader.parked is not None or (reader.resting is not None and reader.resting == self._consumer().end(tp))
            for tp, reader in readers.items()
        )

    async def _fold_all(self) -> None:
        """Wait until the shards have folded everything that the ledger holds now."""
        readers, consumer = self._readers.by_partition, self._consumer()
        ends = await consumer.ends(tp for tp, reader in readers.items() if isinstance(reader, Owner))

        def folded() -> bool:
            left = ((readers.get(tp), end) for tp, end in ends.items())
            return all(reader is None or reader.parked or (reader.resting or 0) >= end for reader, end in left)

        await _until(folded)


async def _until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - much of what it looks at belongs to the consumer's thread
        await asyncio.sleep(POLL_SECONDS)
