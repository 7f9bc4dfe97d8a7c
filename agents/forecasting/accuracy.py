"""How good an item's forecasts have been: each judged when the interval it spoke of has passed.

One forecast waits at a time and is judged by the sum of demand that followed, so the judged intervals never overlap.
The pinball loss at level τ is max(τ·e, (τ − 1)·e) for demand minus quantile e (Koenker and Bassett 1978).

>>> accuracy = Accuracy()
>>> accuracy.expect(10.0, (9.0, 11.0, 12.0, 14.0, 17.0), 2)
>>> accuracy.happened(5.0), accuracy.happened(8.0)
(None, JudgedForecast(error=-3.0, demand=13.0, covered=True, pinball=0.917...))
>>> accuracy.errors().wape, accuracy.errors().coverage_95
(0.230..., 1.0)
"""

from math import sqrt

import msgspec

from agents.forecasting.base import LEVELS
from agents.forecasting.correction import CorrectedPast
from schemas.outbound import Errors

_COVERED = LEVELS.index(0.95)


class WaitingForecast(msgspec.Struct, array_like=True, gc=False):
    """A forecast whose interval has not passed yet."""

    mean: float
    quantiles: tuple[float, ...]
    left: int
    demand: float = 0.0
    passed: int = 0
    """Periods of which the demand is in."""


class JudgedForecast(msgspec.Struct, frozen=True):
    """A forecast beside what came."""

    error: float
    demand: float
    covered: bool
    """Whether the demand was at most the 95 % quantile."""
    pinball: float
    """Mean loss over the quantiles."""


class Accuracy(msgspec.Struct, array_like=True, gc=False):
    """Sums over the forecasts judged so far."""

    waiting: WaitingForecast | None = None
    judged: int = 0
    absolute: float = 0.0
    squared: float = 0.0
    signed: float = 0.0
    demand: float = 0.0
    covered: int = 0
    pinball: float = 0.0

    def expect(self, mean: float, quantiles: tuple[float, ...], periods: int) -> None:
        """File a forecast, unless one waits."""
        if self.waiting is None:
            self.waiting = WaitingForecast(mean, quantiles, periods)

    def happened(self, demand: float) -> JudgedForecast | None:
        """Take in a closed period; the verdict when it was the last of the waiting forecast's."""
        waiting = self.waiting
        if waiting is None:
            return None
        waiting.demand += demand
        waiting.left -= 1
        waiting.passed += 1
        if waiting.left > 0:
            return None
        self.waiting = None
        total, error = waiting.demand, waiting.mean - waiting.demand
        covered = total <= waiting.quantiles[_COVERED]
        self.judged += 1
        self.absolute += abs(error)
        self.squared += error * error
        self.signed += error
        self.demand += total
        self.covered += covered
        offs = [total - quantile for quantile in waiting.quantiles]
        losses = [max(level * off, (level - 1.0) * off) for level, off in zip(LEVELS, offs, strict=True)]
        pinball = sum(losses) / len(LEVELS)
        self.pinball += pinball
        return JudgedForecast(error, total, covered, pinball)

    def correct(self, past: CorrectedPast) -> None:
        """Judge the forecast that waits by the corrected demand; after a slip of the pen, begin anew."""
        if past.is_slip():
            fresh = Accuracy()
            for name in self.__struct_fields__:
                setattr(self, name, getattr(fresh, name))
        elif self.waiting is not None:
            passed = past.periods[len(past.periods) - self.waiting.passed :]
            changes = (period.demand - past.was.get(period.starts, period.demand) for period in passed)
            self.waiting.demand = max(0.0, self.waiting.demand + sum(changes))

    def errors(self) -> Errors:
        """The figures; None until there is something to judge by."""
        n = self.judged
        if n == 0:
            return Errors(wape=None, coverage_95=None)
        return Errors(
            wape=self.absolute / self.demand if self.demand > 0.0 else None,
            coverage_95=self.covered / n,
            mae=self.absolute / n,
            mse=self.squared / n,
            rmse=sqrt(self.squared / n),
            bias=self.signed / n,
            scaled_pinball=self.pinball / self.demand if self.demand > 0.0 else None,
        )
