"""Says whether this worker is ready: each of its partitions is read, and no shard is far behind."""

from collections.abc import Callable

from stream.consumer.feeds import SourceFeed
from stream.consumer.readers import Reader, Readers
from stream.consumer.transport import Consumer
from stream.shard.owner import Owner

FAR_BEHIND = 10_000
"""Ledger records a ready worker may lag."""


class Readiness:
    """Looks at the readers of this process."""

    def __init__(self, readers: Readers, consumer: Callable[[], Consumer]) -> None:
        self._readers = readers
        self._consumer = consumer

    def why_not(self) -> str:
        """Why this worker is not ready; an empty text when it is."""
        readers = self._readers.by_partition
        if not readers:
            return "no partition is assigned yet\n"
        for reader in readers.values():
            if reader.parked or not _begun(reader):
                return f"{reader.name} is not read: {reader.parked or 'it is being taken up'}\n"
        behind = max(self.lags().values(), default=0)
        return f"{behind} ledger records behind\n" if behind > FAR_BEHIND else ""

    def lags(self) -> dict[int, int]:
        """How many records each shard that is held has still to fold, by ledger partition."""
        lags = {}
        for tp, reader in self._readers.by_partition.items():
            if isinstance(reader, Owner) and reader.shard is not None:
                end = self._consumer().end(tp)
                lags[tp.partition] = max(0, (end or 0) - reader.shard.next)
        return lags


def _begun(reader: Reader) -> bool:
    if isinstance(reader, Owner):
        return reader.shard is not None
    return not isinstance(reader, SourceFeed) or reader.next is not None
