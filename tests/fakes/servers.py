"""Kafka and Redis as a probe asks them: they answer from memory, or fail as the test says."""

from collections.abc import Collection, Mapping

from faust.types import TP

from stream.faults import BrokerDown, StoreDown


class FakeServers:
    """Both servers."""

    def __init__(self) -> None:
        self.ends: dict[TP, int] = {}
        self.broker_fault: BrokerDown | None = None
        self.store_fault: StoreDown | None = None

    async def ends_of(self, partitions: Collection[TP]) -> Mapping[TP, int]:
        if self.broker_fault is not None:
            raise self.broker_fault
        return {tp: end for tp, end in self.ends.items() if tp in partitions}

    async def ping(self) -> None:
        if self.store_fault is not None:
            raise self.store_fault
