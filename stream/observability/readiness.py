"""Says whether this worker is ready: servers answer, each of its partitions is read, and no shard is far behind."""

from collections.abc import Callable

from stream.consumer.feeds import SourceFeed
from stream.consumer.readers import Reader
from stream.observability.probe import Probe
from stream.shard.owner import Owner


class Readiness:
    """Looks at what the servers answered last, and at the readers of this process."""

    def __init__(self, probe: Probe, most_lag: int, letters_refused: Callable[[], bool]) -> None:
        self._probe = probe
        self._most_lag = most_lag
        """Ledger records that a shard of a ready worker may be behind."""
        self._letters_refused = letters_refused

    def why_not(self) -> str:
        """Why this worker is not ready; an empty text when it is."""
        readers = self._probe.readers.by_partition
        if missing := self._probe.answers.missing:
            return missing
        if not readers:
            return "no partition is assigned yet"
        for reader in readers.values():
            if reader.parked or not _begun(reader):
                return f"{reader.name} is not read: {reader.parked or 'it is being taken up'}"
        if self._letters_refused():
            return "the topic of dead letters refuses them, and the source feeds wait"
        behind = max(
            (self._probe.lag(tp) or 0 for tp, reader in readers.items() if isinstance(reader, Owner)), default=0
        )
        return f"{behind} ledger records behind" if behind > self._most_lag else ""


def _begun(reader: Reader) -> bool:
    if isinstance(reader, Owner):
        return reader.shard is not None
    return not isinstance(reader, SourceFeed) or reader.next is not None
