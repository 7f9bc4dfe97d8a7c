"""What an item's past, its class and its plan say of its demand without any forecast: orders are checked against it.

A forecast may be wrong by any factor, and so may everything that follows it. What was sold is known. The facts of a
situation are the greatest demand that the item ever had in an interval as long as the one that an order has to cover,
what a new item of its class usually sells in that time, and what its planned promotions may add.

A demand that is far above all others of the item is most often a slip of the pen: while it stands alone, it counts as
`ALONE` times the greatest other one.

>>> past = PastDemand()
>>> for demand in (3, 0, 5, 4, 100_000, 2):
...     past.learn(demand)
>>> past.facts(1).greatest, past.facts(2).greatest
(15.0, 19.0)
"""

import msgspec

ALONE = 3.0
"""A single demand counts as at most this many times the greatest demand of any other period."""
GROWN = 14
"""Periods after which an item is a newcomer no more: its own past speaks, not that of its class."""
WINDOWS = (1, 2, 4, 8, 16, 32)
"""Numbers of periods over which demand is summed; longer intervals are taken as so many times the longest of these."""
PROMOTED = 4.0
"""Times the usual demand that a planned promotion may sell, when it is stronger than any seen so far."""


class DemandFacts(msgspec.Struct, frozen=True, gc=False):
    """What is known of an item's demand in an interval as long as the protection interval."""

    periods: int
    """Closed periods in which demand could be seen: those without stock and without reported losses do not count."""
    greatest: float
    """Greatest demand that the item had in such an interval."""
    newcomer: float = 0.0
    """Demand that new items of its class usually have in such an interval; 0 where there were none yet."""
    uplift: float = 1.0
    """How many times that much a planned promotion may sell."""


class PastDemand(msgspec.Struct, array_like=True, gc=False):
    """The facts of one item, kept period by period."""

    periods: int = 0
    greatest: float = 0.0
    second: float = 0.0
    """Greatest demand of a period, and of any other period."""
    promotion: float = 0.0
    """Strongest promotion seen."""
    recent: list[float] = []
    """Demand of the last periods, as far as it is believed."""
    peaks: list[float] = msgspec.field(default_factory=lambda: [0.0] * len(WINDOWS))
    """Greatest sum over each of `WINDOWS`."""

    def learn(self, demand: float, *, censored: bool = False, promotion: float = 0.0, strong: float = 0.0) -> None:
        """Take in a closed period; `strong` is what a strong newcomer of the class sells in one, 0 if nobody knows."""
        demand = max(demand, 0.0)
        self.periods += not censored
        self.promotion = max(self.promotion, promotion)
        if demand > self.greatest:
            self.greatest, self.second = demand, self.greatest
        else:
            self.second = max(self.second, demand)
        believed = min(demand, self._believed(strong))
        self.recent = [*self.recent, believed][-WINDOWS[-1] :]
        self.peaks = [max(peak, sum(self.recent[-window:])) for peak, window in zip(self.peaks, WINDOWS, strict=True)]

    def _believed(self, strong: float) -> float:
        """The greatest demand of a period that is believed: the greatest one, unless it stands alone."""
        if self.second <= 0.0:
            return min(self.greatest, strong) if strong > 0.0 else self.greatest
        other = max(self.second, strong) if self.periods < GROWN else self.second
        return min(self.greatest, ALONE * other)

    def facts(self, periods: int, *, usual: float = 0.0, strong: float = 0.0, planned: float = 0.0) -> DemandFacts:
        """The facts for an interval of so many periods; `usual` and `strong` newcomers as demand of a period."""
        greatest = 0.0
        for window, peak in zip(WINDOWS, self.peaks, strict=True):
            greatest = max(greatest, peak * min(1.0, periods / window))
        greatest *= max(1.0, periods / WINDOWS[-1])
        greatest = min(greatest, periods * self._believed(strong))
        uplift = PROMOTED if planned > self.promotion else 1.0
        return DemandFacts(self.periods, greatest, usual * periods, uplift)

    def corrected(self, was: "PastDemand", now: "PastDemand") -> "PastDemand":
        """The facts where the periods that are remembered, which said `was`, say `now`; older facts stay.

        >>> was, now, older = PastDemand(), PastDemand(), PastDemand(greatest=80.0, second=70.0, peaks=[90.0] * 6)
        >>> for then, better in ((3, 3), (100_000, 4), (5, 5)):
        ...     was.learn(then), now.learn(better)
        (None, None)
        (None, None)
        (None, None)
        >>> was.corrected(was, now).facts(1).greatest, older.corrected(was, now).facts(1).greatest
        (5.0, 80.0)
        """
        older = [demand for demand in (self.greatest, self.second) if demand not in {was.greatest, was.second}]
        second, greatest = sorted((*older, now.greatest, now.second))[-2:]
        peaks = [
            better if peak <= then else max(peak, better)
            for peak, then, better in zip(self.peaks, was.peaks, now.peaks, strict=True)
        ]
        periods = self.periods + now.periods - was.periods
        return PastDemand(periods, greatest, second, self.promotion, now.recent, peaks)

    def level(self) -> float:
        """Mean demand of a recent period."""
        return sum(self.recent) / len(self.recent) if self.recent else 0.0
