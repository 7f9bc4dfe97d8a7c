"""Damps a demand that stands far above all before it: most often a slip of the pen, of which nothing should be learned.

It counts as so many times the greatest demand before. A second one like it counts in full, because the first was asked
for as well; so what really sells ten times more than ever is learned one period later.

>>> believed(3.0, 0.0, 0.0), believed(40.0, 5.0, 0.0), believed(1e5, 5.0, 0.0), believed(1e5, 1e5, 0.0)
(3.0, 40.0, 50.0, 100000.0)

The first sale of an item has nothing before it: it is held against the first sales of the others.

>>> first = np.zeros(1, np.dtype(FIRST_SALES))[0]
>>> for size in (1.0, 4.0, 2.0, 3.0, 2.0):
...     see_first_sale(first, size)
>>> believed(3.0, 0.0, most_at_first(first)), round(believed(1e5, 0.0, most_at_first(first)), 1)
(3.0, 6.2)
"""

from math import sqrt

import numpy as np

from agents.kernel.arithmetic import exp, log
from agents.kernel.compiled import Record, compiled

ALONE = 10.0
"""A demand counts as at most this many times the greatest one before it."""
FEW = 5.0
"""First sales from which the next one is judged."""
_MEMORY = 200.0
_STRONG, _LEAST_SPREAD = 1.5, 0.7

FIRST_SALES = [("first_sales", np.float64), ("first_mean", np.float64), ("first_variance", np.float64)]
"""How much items of a shard sell when they sell first: how many did, mean and variance of the logarithm."""


@compiled
def see_first_sale(known: Record, size: float) -> None:
    """Take in the first sale of an item."""
    known["first_sales"] = min(known["first_sales"] + 1.0, _MEMORY)
    error = log(size) - known["first_mean"]
    known["first_mean"] += error / known["first_sales"]
    square = error * (log(size) - known["first_mean"])
    known["first_variance"] += (square - known["first_variance"]) / known["first_sales"]


@compiled
def most_at_first(known: Record) -> float:
    """What a first sale counts as at most; 0 while nobody knows."""
    if known["first_sales"] < FEW:
        return 0.0
    return exp(known["first_mean"] + _STRONG * max(sqrt(max(known["first_variance"], 0.0)), _LEAST_SPREAD))


@compiled(float, float, float)
def believed(demand: float, greatest: float, first: float) -> float:
    """What a demand counts as; `greatest` is the greatest one before it as it was asked for, 0 where there was none.

    `first` is the most that a first sale counts as, 0 where nobody knows.
    """
    if greatest > 0.0:
        return min(demand, ALONE * greatest)
    return min(demand, first) if first > 0.0 else demand
