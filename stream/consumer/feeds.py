"""A feed: one partition of a source topic, read in order, with what has been written to the ledger of it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Container

from aiokafka.errors import KafkaError
from faust.types import TP

from schemas.ledger import Progress
from stream.consumer.transport import Batch, Committed, Consumer
from stream.faults import BrokerDown
from stream.observability.instruments import Instruments
from stream.retry import until_answered

logger = logging.getLogger(__name__)
AHEAD = 2
Place = tuple[int, int]
"""Offset of an event and ordinal of a movement in it."""


class SourceFeed:
    """One source partition, from where this process took it on."""

    def __init__(
        self, tp: TP, name: Callable[[TP], Awaitable[str]], consumer: Consumer, instruments: Instruments
    ) -> None:
        self.tp = tp
        self.name = ""
        """Topic id and partition: a topic made anew under the same name is another feed."""
        self.next: int | None = None
        """The offset to read next; everything below it is acknowledged in ledger and dead letters."""
        self.read_up_to: int | None = None
        """The greatest event time read."""
        self.last: dict[int, Place] = {}
        """What this run wrote last to each ledger partition."""
        self.parked: str | None = None
        self.stumbled_at: int | None = None
        self._name = name
        self._consumer = consumer
        self._instruments = instruments
        self._on_its_way = 0
        self._start = self._begin_soon()

    @property
    def wanted(self) -> bool:
        """Whether there is room for another batch."""
        return self.next is not None and self.parked is None and self._on_its_way < AHEAD

    @property
    def committable(self) -> int | None:
        """Everything below is acknowledged."""
        return self.next

    @property
    def resting(self) -> int | None:
        """Where the partition should stand when nothing is on its way."""
        return self.next if self._on_its_way == 0 else None

    @property
    def drained(self) -> bool:
        """Whether everything the feed held, as the last fetch found it, is in the ledger."""
        end = self._consumer.end(self.tp)
        return self.next is not None and end is not None and self.next >= end

    def handed(self) -> None:
        """A batch is on its way."""
        self._on_its_way += 1

    @property
    def last_on_its_way(self) -> bool:
        """Whether no other batch follows the one in hand."""
        return self._on_its_way <= 1

    def receive(self, batch: Batch) -> None:  # noqa: ARG002 - intake looks at the batch itself
        """A batch is done."""
        self._on_its_way = max(0, self._on_its_way - 1)

    async def resume(self) -> None:
        """Still ours after a rebalance: go on behind what is acknowledged, by us or by who had it in between."""
        self._on_its_way = 0
        self.last.clear()
        committed = await until_answered(self._committed) if self.next is not None else None
        if self.next is None:  # it has not begun, or was found to be made anew while we asked
            return
        if committed is not None and committed.name == self.name:
            self.next = max(self.next, committed.offset)
        await self._consumer.move(self.tp, self.next)

    async def leave(self) -> None:
        """Somebody else's now."""
        self._start.cancel()
        await asyncio.gather(self._start, return_exceptions=True)

    async def rewind(self) -> None:
        """What was read is not what comes next: ask for that, if the topic is still the same."""
        if self.next is not None:
            self.check([await until_answered(lambda: self._name(self.tp))])
        if self.next is not None:
            await self._consumer.move(self.tp, self.next)

    def check(self, names: Container[str]) -> None:
        """Begin anew if there is no feed of this name any more: its topic was made anew, and offsets start again."""
        if self.next is not None and self.name not in names:
            logger.warning("%s was made anew: reading it from its start", self.tp.topic)
            self.next = self.read_up_to = None
            self.last = {}
            self._start = self._begin_soon()

    def progress(self, partition: int) -> Progress:
        """How far this feed is, as told to one ledger partition."""
        return Progress(self.name, self.next or 0, self.read_up_to, self.drained, self.last.get(partition))

    def _begin_soon(self) -> asyncio.Task[None]:
        start = asyncio.create_task(until_answered(self._begin))
        start.add_done_callback(self._park_on_bug)
        return start

    def _park_on_bug(self, start: asyncio.Task[None]) -> None:
        """Nobody awaits it before the feed is left, and without it nothing is ever read."""
        if not start.cancelled() and (bug := start.exception()) is not None:
            self.parked = f"feed {self.tp.topic}/{self.tp.partition}: it cannot be begun: {bug!r}"
            logger.critical("Parked: %s; start the worker again", self.parked, exc_info=bug)

    async def _committed(self) -> Committed | None:
        try:
            return await self._consumer.committed(self.tp)
        except KafkaError as error:
            raise BrokerDown(str(error)) from error

    async def _begin(self) -> None:
        name, committed = await self._name(self.tp), await self._committed()
        try:
            start, end = await self._consumer.bounds(self.tp)
        except KafkaError as error:
            raise BrokerDown(str(error)) from error
        self.name = name
        position = start
        # Without a commit, or with one for another topic, from the start: marks drop what is known.
        if committed is not None and committed.name in {self.name, ""} and committed.offset <= end:
            position = max(committed.offset, start)
            if lost := position - committed.offset:
                self._instruments.counts["lost"] += lost
                logger.critical("%s/%d: %d records were deleted before they were read", *self.tp, lost)
        await self._consumer.move(self.tp, position)
        self.next = position
