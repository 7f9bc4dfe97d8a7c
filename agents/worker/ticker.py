"""Writes the ticks of a worker, and notices when the worker has nothing left to do.

A tick is a record in every ledger partition that reports how far the source feeds of this worker are. Ticks move the
watermark, and so time.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

from agents.intake.intake import Intake
from schemas.ledger import FoldSettings
from stream.consumer.feeds import SourceFeed
from stream.consumer.readers import Readers
from stream.consumer.transport import Consumer
from stream.shard.owner import Owner

POLL_SECONDS = 0.05
LAST_TICKS = 4
"""Ticks that are written before an idle worker stops: a drained feed follows the time of the others one tick later."""
QUIET_SECONDS = 0.5
"""Without a wall clock, a tick waits so long if it would report the same as the last two. Then it is written all the
same, since the feeds of other workers may have moved."""


class Ticker:
    """Ticks for one worker, and knows when that worker is idle."""

    def __init__(
        self,
        *,
        readers: Readers,
        intake: Intake | None,
        consumer: Callable[[], Consumer],
        feed_names: Callable[[], Awaitable[Sequence[str]]],
        fold_settings: FoldSettings,
        seconds: float,
        wall_clock: bool,
    ) -> None:
        self._readers = readers
        self._intake = intake
        """None in a worker that is a controller only, and writes no ticks."""
        self._consumer = consumer
        self._feed_names = feed_names
        """Names every feed there is, also those of other workers."""
        self._fold_settings = fold_settings
        self._seconds = seconds
        self._wall_clock = wall_clock
        self._began_at = time.monotonic()

    async def tick(self) -> None:
        """Write a tick."""
        if self._intake is not None:
            names = await self._feed_names()
            now = int(time.time() * 1000) if self._wall_clock else None
            await self._intake.tick(list(self._feeds().values()), names, now, self._fold_settings)

    async def keep_ticking(self) -> None:
        """Tick for ever; without a wall clock less often while there is nothing new to report (see QUIET_SECONDS)."""
        reported: list[object] = []
        ticked_at = time.monotonic()
        while True:
            await asyncio.sleep(self._seconds)
            progress = {tp: (feed.next, feed.read_up_to, feed.drained) for tp, feed in self._feeds().items()}
            quiet = reported == [progress, progress] and time.monotonic() - ticked_at < QUIET_SECONDS
            if self._wall_clock or not quiet:
                await self.tick()
                reported, ticked_at = [*reported[-1:], progress], time.monotonic()

    async def idle(self, seconds: float) -> None:
        """Return when nothing but ticks has come for so many seconds, and the last progress is folded."""
        await _until(lambda: time.monotonic() - self._busy_at() >= seconds and self._caught_up())
        for _ in range(LAST_TICKS):
            await self.tick()
            await self._fold_all()

    def _feeds(self) -> dict[object, SourceFeed]:
        readers = self._readers.by_partition
        return {tp: reader for tp, reader in readers.items() if isinstance(reader, SourceFeed)}

    def _busy_at(self) -> float:
        """When the last record that is no tick was read."""
        owners = [reader for reader in self._readers.by_partition.values() if isinstance(reader, Owner)]
        began = self._began_at if self._intake is None else self._intake.busy_at
        return max([began, *(owner.busy_at for owner in owners)])

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
