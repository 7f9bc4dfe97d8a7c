"""A source feed: one partition of a source topic, read in order, and how far it is in the ledger."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Container, Mapping
from typing import TypeAlias

from aiokafka.errors import KafkaError
from faust.types import TP

from schemas.ledger import Progress
from stream.consumer.batch import Batch, Committed
from stream.consumer.transport import Consumer
from stream.faults import BrokerDown
from stream.observability.instruments import Instruments
from stream.observability.log_privacy import told
from stream.retry import until_answered

logger = logging.getLogger(__name__)
AHEAD = 2
"""Batches that may be on their way before the partition is left alone."""
Place: TypeAlias = tuple[int, int]
"""Offset of an event and ordinal of a movement in it."""


class SourceFeed:
    """Reads one source partition, from the moment this process takes it on."""

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
        self.last: Mapping[int, Place] = {}
        """What this run wrote last to each ledger partition."""
        self.parked: str | None = None
        self._stumbled_at: int | None = None
        self._name = name
        self._consumer = consumer
        self._instruments = instruments
        self._on_its_way = 0
        self._start = self._begin_soon()

    # What the transport asks ----------------------------------------------------------------------------------------

    @property
    def wanted(self) -> bool:
        """Whether there is room for another batch."""
        return self.next is not None and self.parked is None and self._on_its_way < AHEAD

    @property
    def committable(self) -> int | None:
        """The offset below which everything is acknowledged."""
        return self.next

    @property
    def resting(self) -> int | None:
        """The offset to read next when no batch is on its way."""
        return self.next if self._on_its_way == 0 else None

    def handed(self) -> None:
        """Note that a batch is on its way."""
        self._on_its_way += 1

    def receive(self, batch: Batch) -> None:  # noqa: ARG002 - intake has taken the batch itself
        """Note that a batch is done."""
        self._on_its_way = max(0, self._on_its_way - 1)

    async def resume(self) -> None:
        """Go on after a rebalance, behind what we, or a worker in between, have had acknowledged."""
        self._on_its_way = 0
        self.end_run()
        committed = await until_answered(self._committed) if self.next is not None else None
        if self.next is None:  # it has not begun, or was found to be made anew while we asked
            return
        if committed is not None and committed.name == self.name:
            self.next = max(self.next, committed.offset)
        await self._consumer.move(self.tp, self.next)

    async def rewind(self) -> None:
        """Seek back to what comes next, if the topic is still the same."""
        if self.next is not None:
            self.check([await until_answered(lambda: self._name(self.tp))])
        if self.next is not None:
            await self._consumer.move(self.tp, self.next)

    async def leave(self) -> None:
        """Let go: the partition belongs to somebody else now."""
        self._start.cancel()
        await asyncio.gather(self._start, return_exceptions=True)

    # What intake asks and reports ------------------------------------------------------------------------------------

    @property
    def drained(self) -> bool:
        """Whether everything that the last fetch found in the partition is in the ledger."""
        end = self._consumer.end(self.tp)
        return self.next is not None and end is not None and self.next >= end

    @property
    def last_on_its_way(self) -> bool:
        """Whether no other batch follows the one in hand."""
        return self._on_its_way <= 1

    def progress(self, partition: int) -> Progress:
        """How far this feed is, as a tick reports it to one ledger partition."""
        return Progress(self.name, self.next or 0, self.read_up_to, self.drained, self.last.get(partition))

    def end_run(self) -> None:
        """Let the next movement begin a new run: it names no predecessor, since none is certain to have arrived."""
        self.last = {}

    def advance(self, name: str, end: int, last: Mapping[int, Place], read_up_to: int | None) -> None:
        """Move on to the end of a batch that was read under this name and is acknowledged."""
        if self.next is not None and self.name == name:  # else its topic was made anew, and it begins anew
            self.last, self.read_up_to = last, read_up_to
            self.next = max(self.next, end)  # another process may have been further meanwhile

    def stumble(self, bug: Exception) -> None:
        """Note a bug at the next offset; the second one at the same offset parks the feed."""
        if self._stumbled_at == self.next:
            self.parked = f"feed {self.name}: what follows offset {self.next} cannot be read: {told(bug)}"
            logger.critical("Parked: %s; install a version that can", self.parked)
        self._stumbled_at = self.next

    def check(self, names: Container[str]) -> None:
        """Begin anew if no feed has this name any more: the topic was made anew, and its offsets start again."""
        if self.next is not None and self.name not in names:
            logger.warning("%s was made anew: reading it from its start", self.tp.topic)
            self.next = self.read_up_to = None
            self.end_run()
            self._start = self._begin_soon()

    # Its start ------------------------------------------------------------------------------------------------------

    def _begin_soon(self) -> asyncio.Task[None]:
        start = asyncio.create_task(until_answered(self._begin))
        start.add_done_callback(self._park_on_bug)
        return start

    def _park_on_bug(self, start: asyncio.Task[None]) -> None:
        """Park if the start failed: nobody awaits it before the feed is left, and nothing is read without it."""
        if not start.cancelled() and (bug := start.exception()) is not None:
            self.parked = f"feed {self.tp.topic}/{self.tp.partition}: it cannot be begun: {bug!r}"
            logger.critical("Parked: %s; start the worker again", self.parked, exc_info=bug)

    async def _committed(self) -> Committed | None:
        try:
            return await self._consumer.committed(self.tp)
        except KafkaError as error:
            raise BrokerDown(str(error)) from error

    async def _begin(self) -> None:
        """Find out where to begin: at the group's commit for this very topic, else at the start.

        The start is always safe, since the fold drops what its feed marks say it has applied.
        """
        name, committed = await self._name(self.tp), await self._committed()
        try:
            start, end = await self._consumer.bounds(self.tp)
        except KafkaError as error:
            raise BrokerDown(str(error)) from error
        self.name = name
        position = start
        if committed is not None and committed.name in {self.name, ""} and committed.offset <= end:
            position = max(committed.offset, start)
            if lost := position - committed.offset:
                self._instruments.has_lost(lost)
                logger.critical("%s/%d: %d records were deleted before they were read", *self.tp, lost)
        await self._consumer.move(self.tp, position)
        self.next = position
