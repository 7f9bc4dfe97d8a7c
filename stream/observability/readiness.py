"""Says whether this worker is ready: servers answer, each of its partitions is read, and none is far behind.

What waits in a source topic is as late as what waits in the ledger, so feeds count as shards do. Nobody is kept from
work by not being ready: decision 55.
"""

from collections.abc import Callable
from operator import itemgetter

from stream.consumer.feeds import SourceFeed
from stream.consumer.readers import Reader
from stream.observability.probe import Probe
from stream.retry import waited_for
from stream.shard.owner import Owner


class Readiness:
    """Looks at what the servers answered last, and at the readers of this process."""

    def __init__(self, probe: Probe, most_lag: int, letters_refused: Callable[[], bool]) -> None:
        self._probe = probe
        self._most_lag = most_lag
        """Records that any one partition of a ready worker may be behind."""
        self._letters_refused = letters_refused

    def why_not(self) -> str:
        """Why this worker is not ready; an empty text when it is."""
        readers = self._probe.readers.by_partition
        if missing := self._probe.answers.missing:
            return missing
        if not readers:
            return "no partition is assigned yet"
        if self._letters_refused():
            return "the topic of dead letters refuses them, and the source feeds wait"
        if waited := waited_for():
            return waited
        for reader in readers.values():
            if reader.parked or not _begun(reader):
                return f"{reader.name} is not read: {reader.parked or 'it is being taken up'}"
        return self._behind()

    def _behind(self) -> str:
        """How far the partitions that are too far behind are; an empty text when none is."""
        lags = {tp: self._probe.lag(tp) or 0 for tp in self._probe.readers.by_partition}
        far = {tp: lag for tp, lag in lags.items() if lag > self._most_lag}
        if not far:
            return ""
        tp, worst = max(far.items(), key=itemgetter(1))
        others = f", {sum(far.values())} with the others that are" if len(far) > 1 else ""
        return f"{worst} records of {tp.topic}/{tp.partition} behind{others}: RESTOCK_READY_LAG is {self._most_lag}"


def _begun(reader: Reader) -> bool:
    if isinstance(reader, Owner):
        return reader.shard is not None
    return not isinstance(reader, SourceFeed) or reader.next is not None
