"""Says whether this worker is alive: what it has to read goes on, or it has good reason to wait.

A process that answers may still stand still for ever. It is told by its readers: one that is behind the broker's own
end, and has not moved for long, though both servers answer and nobody waits for one of them. Then starting the process
again helps; while a server is away, or a person is waited for, it does not.
"""

from collections.abc import Callable
from time import monotonic
from typing import NamedTuple

from faust.types import TP

from stream.consumer.feeds import SourceFeed
from stream.consumer.readers import Reader
from stream.observability.probe import Probe, position_of
from stream.retry import waited_for
from stream.shard.owner import Owner


class LastStep(NamedTuple):
    """Where a reader stands since its last step, and when that was."""

    place: object
    since: float
    lag: int | None


class Liveness:
    """Watches the readers of this process; `look` after every probe."""

    def __init__(
        self,
        probe: Probe,
        most_seconds: float,
        letters_refused: Callable[[], bool],
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._probe = probe
        self._most_seconds = most_seconds
        self._letters_refused = letters_refused
        self._clock = clock
        self._looked_at = clock()
        """Until a probe has its answers nobody knows whether a server is away: no time passes meanwhile."""
        self._steps: dict[TP, LastStep] = {}

    def look(self) -> None:
        """Note which readers have moved; while a server is waited for, no time passes for those that have not."""
        now = self._looked_at = self._clock()
        waiting = bool(self._probe.answers.missing or waited_for())
        known, self._steps = self._steps, {}
        for tp, reader in self._probe.readers.by_partition.items():
            place, lag = _place_of(reader), self._lag(tp, reader)
            before = known.get(tp)
            idle = waiting or lag == 0
            since = now if idle or before is None or before.place != place else before.since
            self._steps[tp] = LastStep(place, since, lag)

    def why_not(self) -> str:
        """Which reader stands still, and for how long; an empty text when none does."""
        now = self._looked_at
        for tp, (_, since, lag) in self._steps.items():
            if now - since > self._most_seconds and (reader := self._probe.readers.by_partition.get(tp)) is not None:
                behind = "" if lag is None else f", {lag} records behind"
                return f"{reader.name} has stood still for {now - since:.0f} s{behind}: start this worker again"
        return ""

    def _lag(self, tp: TP, reader: Reader) -> int | None:
        """How far a reader is behind; 0 also where starting again would not help: a person, or a topic, holds it."""
        if reader.parked or (isinstance(reader, SourceFeed) and self._letters_refused()):
            return 0
        return self._probe.lag(tp)


def _place_of(reader: Reader) -> object:
    """What changes when a reader gets on; a shard publishes on the way through a long tick."""
    shard = reader.shard if isinstance(reader, Owner) else None
    return position_of(reader) if shard is None else (shard.next, shard.published)
