"""Damps a demand that stands far above all before it: most often a slip of the pen, of which nothing should be learned.

It counts as so many times the greatest demand before. A second one like it counts in full, because the first was asked
for as well; so what really sells ten times more than ever is learned one period later.

>>> believed(3.0, 0.0), believed(40.0, 5.0), believed(100_000.0, 5.0), believed(100_000.0, 100_000.0)
(3.0, 40.0, 50.0, 100000.0)

The first sale of an item has nothing before it: it is held against the first sales of the others.

>>> first = FirstSales()
>>> for size in (1.0, 4.0, 2.0, 3.0, 2.0):
...     first.add(size)
>>> believed(3.0, 0.0, first.most), round(believed(100_000.0, 0.0, first.most), 1)
(3.0, 6.2)
"""

from math import sqrt

import msgspec

from agents.kernel.arithmetic import exp, log

ALONE = 10.0
"""A demand counts as at most this many times the greatest one before it."""


FEW = 5
"""First sales from which the next one is judged."""
_MEMORY = 200.0
_STRONG, _LEAST_SPREAD = 1.5, 0.7


class FirstSales(msgspec.Struct, array_like=True):
    """How much items of a shard sell when they sell first: how many did, mean and variance of the logarithm."""

    count: float = 0.0
    mean: float = 0.0
    variance: float = 0.0

    def add(self, size: float) -> None:
        """Take in the first sale of an item."""
        self.count = min(self.count + 1.0, _MEMORY)
        error = log(size) - self.mean
        self.mean += error / self.count
        self.variance += (error * (log(size) - self.mean) - self.variance) / self.count

    @property
    def most(self) -> float:
        """What a first sale counts as at most; 0 while nobody knows."""
        return exp(self.mean + _STRONG * max(sqrt(self.variance), _LEAST_SPREAD)) if self.count >= FEW else 0.0


def believed(demand: float, greatest: float, first: float = 0.0) -> float:
    """What a demand counts as; `greatest` is the greatest one before it as it was asked for, 0 where there was none.

    `first` is the most that a first sale counts as, 0 where nobody knows.
    """
    if greatest > 0.0:
        return min(demand, ALONE * greatest)
    return min(demand, first) if first > 0.0 else demand
