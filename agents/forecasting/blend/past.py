"""What is remembered of one item: its last periods one by one, and running figures of all of them.

Every rate is at least 1/n, so that the first periods weigh the same. Rates and windows come from the study behind
this forecaster (docs/concepts/forecasting.md) and are not fitted to an item.
"""

from collections.abc import Sequence
from math import isfinite, log

import msgspec
import numpy as np

from agents.forecasting.base import ClosedPeriod
from agents.forecasting.blend.arrays import Floats
from agents.forecasting.rhythm import Pace
from agents.forecasting.slips import FirstSales, believed

RATES = (0.1, 0.3, 0.05, 0.12)
"""Of the moving averages of demand."""
_LEAST_RATE = min(RATES)
_FADE = 0.95
"""What is left of the decayed maximum after a period."""
_PLAN_RATE = 0.02
_PRICE_RATE = 1 / 28
_LIFTED_RATE = 0.05
_PHASE_PRIOR = 4.0
_MOST_DEMAND = 1e9


class PastFigures(msgspec.Struct, array_like=True, gc=False):
    """The running figures: all that is not an array."""

    periods: int = 0
    total: float = 0.0
    sales: int = 0
    """Periods with demand."""
    since_sale: int = 0
    peak: float = 0.0
    greatest: float = 0.0
    """Greatest demand of a period, as it was asked for, …"""
    most: float = 0.0
    """… and as far as it is believed."""
    strongest: float = 0.0
    """Strongest promotion."""
    fast: float = 0.0
    """Moving averages of demand at the RATES, in another order than fast and slow: 0.1, 0.3, 0.05, 0.12."""
    faster: float = 0.0
    slow: float = 0.0
    middle: float = 0.0
    promoted: float = 0.0
    """Periods' worth of promotion seen, and moving averages of demand with it and without."""
    plain: float = 0.0
    lifted: float = 0.0
    base: float = 0.0
    plan: float = 0.0
    """Moving average of the promotion level."""
    promotion: float = 0.0
    """Of the last period."""
    log_price: float = 0.0
    log_price_base: float = 0.0
    prices: int = 0
    whole: bool = True
    """Whether every demand so far was a whole number."""


class Past:
    """Figures, last periods (newest first), and sums and counts by phase of the cycle."""

    __slots__ = ("figures", "phase_counts", "phase_sums", "recent")

    def __init__(self, figures: PastFigures, recent: Floats, phase_sums: list[float], phase_counts: list[int]) -> None:
        self.figures = figures
        self.recent = recent
        self.phase_sums = phase_sums
        self.phase_counts = phase_counts

    @classmethod
    def fresh(cls, pace: Pace) -> "Past":
        """Remember nothing."""
        return cls(PastFigures(), np.zeros(pace.long_memory, np.float32), [0.0] * pace.phases, [0] * pace.phases)

    def believed(self, period: ClosedPeriod, first: FirstSales) -> float:
        """What the demand of a period that is to be taken in counts as; `first` are the first sales of the shard."""
        f = self.figures
        asked = min(max(float(period.demand), 0.0), _MOST_DEMAND) if isfinite(period.demand) else f.fast
        if period.censored:
            asked = max(asked, f.fast)
        demand, f.greatest = believed(asked, f.greatest, first.most), max(f.greatest, asked)
        return demand

    def take(self, demand: float, period: ClosedPeriod, phase: int, plan: float) -> None:
        """Take in an open period: what demand is taken to have been, and the level of promotion by the usual one."""
        f = self.figures
        f.periods += 1
        f.total += demand
        f.whole = f.whole and demand == int(demand)
        if demand > 0.0:
            f.sales += 1
            f.since_sale = 0
        else:
            f.since_sale += 1
        f.peak = max(f.peak * _FADE, demand)
        f.most = max(f.most, demand)
        least = 1.0 / f.periods
        fast, faster, slow, middle = RATES if least < _LEAST_RATE else [max(rate, least) for rate in RATES]
        f.fast += fast * (demand - f.fast)
        f.faster += faster * (demand - f.faster)
        f.slow += slow * (demand - f.slow)
        f.middle += middle * (demand - f.middle)
        level = min(plan, 1.0)
        if level > 0.0:
            f.promoted += level
            f.lifted += max(_LIFTED_RATE, 1.0 / max(f.promoted, 1.0)) * level * (demand - f.lifted)
        if level < 1.0:
            f.plain += 1.0 - level
            f.base += max(_LIFTED_RATE, 1.0 / max(f.plain, 1.0)) * (1.0 - level) * (demand - f.base)
        f.plan += max(_PLAN_RATE, least) * (level - f.plan)
        f.promotion, f.strongest = level, max(f.strongest, level)
        if period.price is not None and period.price > 0.0:
            f.prices += 1
            f.log_price = min(max(log(period.price), -9.0), 14.0)
            f.log_price_base += max(_PRICE_RATE, 1.0 / f.prices) * (f.log_price - f.log_price_base)
        self.recent[1:] = self.recent[:-1]
        self.recent[0] = demand
        self.phase_sums[phase] += demand
        self.phase_counts[phase] += 1

    def of_phases(self, phases: Sequence[int]) -> tuple[list[float], float]:
        """Usual demand in these phases, and in any; the less is known of a phase, the more it is like any."""
        usual = sum(self.phase_sums) / max(sum(self.phase_counts), 1)
        prior = _PHASE_PRIOR * usual
        return [(self.phase_sums[p] + prior) / (self.phase_counts[p] + _PHASE_PRIOR) for p in phases], usual
