"""Asks Kafka and Redis every few seconds whether they answer, and Kafka where its partitions end.

It runs beside the work and waits for none of it: in an outage the work stands still, and what it saw last looks as if
all were done.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import TypeAlias

from faust.types import TP

from stream.consumer.feeds import SourceFeed
from stream.consumer.readers import Reader, Readers
from stream.faults import BrokerDown, StoreDown
from stream.observability.answers import Answers
from stream.observability.server_errors import count_error
from stream.shard.owner import Owner

SECONDS = 2.5
PING_SECONDS = 5.0
AskEnds: TypeAlias = Callable[[Collection[TP]], Awaitable[Mapping[TP, int]]]
"""Asks the broker where partitions end; raises BrokerDown."""
Ping: TypeAlias = Callable[[], Awaitable[None]]
"""Asks the store for any answer; raises StoreDown."""


class Probe:
    """What the servers answer, and how far each reader of this process is behind."""

    def __init__(
        self, answers: Answers, readers: Readers, ledger: Collection[TP], ask_ends: AskEnds, ping: Ping
    ) -> None:
        self.answers = answers
        self.readers = readers
        self.ledger = ledger
        """Every partition of the ledger, whoever holds it."""
        self.ends: Mapping[TP, int] = {}
        """Where partitions end, as the broker said when it last answered."""
        self._ask_ends = ask_ends
        self._ping = ping

    async def keep_asking(self, after: Callable[[], None]) -> None:
        """Ask for ever, and call `after` each time."""
        while True:
            await self.ask()
            after()
            await asyncio.sleep(SECONDS)

    async def ask(self) -> None:
        """Ask both servers at the same time."""
        await asyncio.gather(self._ask_broker(), self._ask_store())

    def lag(self, tp: TP) -> int | None:
        """How many records of a partition its reader has still to read; None while that is not known."""
        position, end = position_of(self.readers.of(tp)), self.ends.get(tp)
        return None if position is None or end is None else max(0, end - position)

    async def _ask_broker(self) -> None:
        try:
            self.ends = await self._ask_ends({*self.ledger, *self.readers.by_partition})
        except BrokerDown as fault:
            count_error(fault)
            self.answers.broker.failed(str(fault))
        else:
            self.answers.broker.came()

    async def _ask_store(self) -> None:
        try:
            await self._ping_in_time()
        except StoreDown as fault:
            count_error(fault)
            self.answers.store.failed(str(fault))
        else:
            self.answers.store.came()

    async def _ping_in_time(self) -> None:
        try:
            async with asyncio.timeout(PING_SECONDS):
                await self._ping()
        except TimeoutError as error:
            raise StoreDown("no answer") from error


def position_of(reader: Reader) -> int | None:
    """The offset that a reader will read next, whatever is on its way; None before it has begun."""
    return reader.next if isinstance(reader, SourceFeed | Owner) else None
