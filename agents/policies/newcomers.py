"""What new items of a class usually sell: the only fact about an item that has no past yet."""

from math import sqrt

import msgspec

from agents.kernel.arithmetic import exp, log
from agents.policies.facts import GROWN, PastDemand
from agents.policies.shared_parts import SharedParts
from schemas.stored import decoder_of

FEW = 5
"""First sales of a class from which the next one is judged."""

MEMORY = 200.0
"""Newcomers of a class over which the past fades."""
STRONG, STRONG_FIRST = 2.0, 1.5
"""A strong newcomer sells so many standard deviations more than usual, on a scale of factors; and in its first sale."""
_FIRST = "first sale, "


class StoredNewcomers(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """The newcomers of one class: how many, and mean and variance of the logarithm of their demand in a period."""

    count: float = 0.0
    mean: float = 0.0
    variance: float = 0.0


_decode = decoder_of(StoredNewcomers, "the newcomers of a class")


class Newcomers:
    """Demand of new items by class, shared by a shard.

    >>> newcomers = Newcomers()
    >>> newcomers.usual("A"), newcomers.strong("A")
    (0.0, 0.0)
    >>> for level in (2.0, 8.0):
    ...     newcomers.add("A", level)
    >>> round(newcomers.usual("A"), 2), round(newcomers.strong("A"), 2)
    (4.0, 16.0)
    """

    def __init__(self) -> None:
        self._classes = SharedParts(_decode, _fits, "the newcomers of the class")
        self.dump, self.load = self._classes.dump, self._classes.load

    def learn(self, kind: str, past: PastDemand) -> None:
        """Take in a first sale, and an item that is a newcomer no more; call it after each period with demand seen."""
        if past.second == 0.0 and past.recent[-1] > 0.0:
            self.add(f"{_FIRST}{kind}", past.greatest)
        if past.periods == GROWN and past.level() > 0.0:
            self.add(kind, past.level())

    def add(self, kind: str, level: float) -> None:
        """Take in what a newcomer sells in a period."""
        known = self._classes.get(kind) or StoredNewcomers()
        count = min(known.count + 1.0, MEMORY)
        error = log(level) - known.mean
        mean = known.mean + error / count
        variance = known.variance + (error * (log(level) - mean) - known.variance) / count
        self._classes[kind] = StoredNewcomers(count, mean, max(variance, 0.0))

    def usual(self, kind: str) -> float:
        """What a newcomer usually sells in a period; 0 where there was none yet."""
        known = self._classes.get(kind)
        return 0.0 if known is None else exp(known.mean)

    def strong(self, kind: str) -> float:
        """What a strong newcomer sells in a period, judged by first sales while all are new; 0 while nobody knows."""
        known = self._classes.get(kind)
        if known is not None and known.count >= 2.0:
            return exp(known.mean + STRONG * sqrt(known.variance))
        first = self._classes.get(f"{_FIRST}{kind}")
        if first is None or first.count < FEW:
            return 0.0
        return exp(first.mean + STRONG_FIRST * sqrt(first.variance))


def _fits(known: StoredNewcomers) -> bool:
    return 0.0 <= known.count <= MEMORY and abs(known.mean) < 50.0 and 0.0 <= known.variance < 1e4
