"""Damps a demand that stands far above all before it: most often a slip of the pen, of which nothing should be learned.

It counts as so many times the greatest demand before. A second one like it counts in full, because the first was asked
for as well; so what really sells ten times more than ever is learned one period later.

>>> believed(3.0, 0.0), believed(40.0, 5.0), believed(100_000.0, 5.0), believed(100_000.0, 100_000.0)
(3.0, 40.0, 50.0, 100000.0)
"""

ALONE = 10.0
"""A demand counts as at most this many times the greatest one before it."""


def believed(demand: float, greatest: float) -> float:
    """What a demand counts as; `greatest` is the greatest one before it as it was asked for, 0 where there was none."""
    return min(demand, ALONE * greatest) if greatest > 0.0 else demand
