"""An item's past where periods turn out to have had another demand than was learned.

>>> periods = [ClosedPeriod(day, day + 1, float(demand)) for day, demand in enumerate((4, 0, 5))]
>>> past = CorrectedPast(periods, {1: 100_000})
>>> past.corrections(), [period.demand for period in past.learned()], past.is_slip()
([Correction(age=1, was=100000.0, now=0.0)], [4.0, 100000.0, 5.0], True)
>>> CorrectedPast(periods, {0: 6}).is_slip()
False
"""

from collections.abc import Mapping, Sequence

import msgspec

from agents.forecasting.base import ClosedPeriod

SLIP = 3.0
"""A correction of more than so many times the greatest demand of any period takes out a slip of the pen."""


class Correction(msgspec.Struct, frozen=True, gc=False):
    """A corrected period."""

    age: int
    """Open periods that were learned since: 0 is the newest."""
    was: float
    """Its demand, as it was learned."""
    now: float


class CorrectedPast(msgspec.Struct, frozen=True):
    """The periods that are remembered, oldest first, as they stand now; and what was learned of those that changed."""

    periods: Sequence[ClosedPeriod]
    was: Mapping[int, int]
    """Demand as it was learned, by the start of its period."""

    def learned(self) -> list[ClosedPeriod]:
        """The periods as they were learned."""
        return [
            msgspec.structs.replace(period, demand=float(self.was.get(period.starts, period.demand)))
            for period in self.periods
        ]

    def corrections(self) -> list[Correction]:
        """The periods that changed, the newest first."""
        found, age = [], 0
        for period in reversed(self.periods):
            if period.starts in self.was:
                found.append(Correction(age, float(self.was[period.starts]), period.demand))
            age += period.is_open
        return found

    def is_slip(self) -> bool:
        """Whether a correction is so large that what errors have taught since says nothing."""
        steady = (min(float(self.was.get(period.starts, period.demand)), period.demand) for period in self.periods)
        greatest = max(steady, default=0.0)
        return any(abs(each.now - each.was) > SLIP * greatest for each in self.corrections())
