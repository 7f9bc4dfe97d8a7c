"""A consumer without a broker: it answers what feeds, readers and metrics ask of the transport."""

import asyncio

from aiokafka.errors import RequestTimedOutError
from faust.types import TP

from stream.consumer.batch import Committed


class FakeConsumer:
    """Answers from memory, notes where it is moved to, and answers about commits only when it may."""

    def __init__(self) -> None:
        self.moves: list[tuple[TP, int]] = []
        self.ends: dict[TP, int] = {}
        """The known ends; a partition without one here has a thousand records."""
        self.positions: dict[TP, int | None] = {}
        self.known: Committed | None = None
        """What is committed for every partition."""
        self.failures = 0
        """How many questions about commits fail."""
        self.asked = asyncio.Event()
        self.answer = asyncio.Event()
        """Cleared, it keeps a question about commits waiting."""
        self.answer.set()

    async def committed(self, tp: TP) -> Committed | None:
        self.asked.set()
        await self.answer.wait()
        if self.failures:
            self.failures -= 1
            raise RequestTimedOutError
        return self.known

    async def bounds(self, tp: TP) -> tuple[int, int]:
        return 0, self.ends.get(tp, 1000)

    async def move(self, tp: TP, offset: int) -> None:
        self.moves.append((tp, offset))

    def end(self, tp: TP) -> int | None:
        return self.ends.get(tp)

    def next_offset(self, tp: TP) -> int | None:
        return self.positions.get(tp)
