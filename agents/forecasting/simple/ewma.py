"""A forecaster of a few numbers: an exponentially weighted mean, its spread, and how much has been seen.

Demand of several periods together is taken to follow a gamma distribution with that mean and that variance, which
never falls below zero and leans to the right as demand does. The spread grows with the distance, by 1 + l·α² for
the l-th period ahead (Hyndman, Koehler, Ord, Snyder: Forecasting with Exponential Smoothing, 2008, table 6.1).

>>> from agents.forecasting.base import Ahead, ClosedPeriod, Rhythm
>>> ewma, day = Ewma(Rhythm()), 86_400_000
>>> state = ewma.fresh()
>>> for number, demand in enumerate((4, 6, 5, 5)):
...     ewma.learn(state, "TEA-01@BER1", ClosedPeriod(number * day, (number + 1) * day, demand))
>>> forecast = ewma.forecast(state, "TEA-01@BER1", [Ahead(n * day, (n + 1) * day) for n in (4, 5)])
>>> forecast.mean, [round(q, 1) for q in forecast.quantiles]
(10.0, [9.9, 11.6, 12.6, 13.5, 15.2])
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import msgspec
from scipy.special import gammaincinv

from agents.forecasting.base import LEVELS, Ahead, ClosedPeriod, DemandForecast, Rhythm
from agents.forecasting.correction import CorrectedPast
from agents.forecasting.slips import believed
from schemas.stored import decoder_of

RATE = 0.1
"""Weight of the newest period, once ten have been seen; before that all weigh the same."""
_LEAST_MEAN = 1e-12
"""Less demand than this is none; squares of it would vanish."""
_MOST_VARIED = 9.0
"""Times the squared mean: a gamma distribution that varies more has nearly all its quantiles at nothing."""


class EwmaState(msgspec.Struct, array_like=True, gc=False):
    """What is known of one item."""

    periods: int = 0
    mean: float = 0.0
    variance: float = 0.0
    greatest: float = 0.0
    """Greatest demand as it was asked for."""


_encode = msgspec.msgpack.Encoder().encode
_decode = decoder_of(EwmaState, "the state of an ewma")


class Ewma:
    """The simplest forecaster that has a spread; it needs no history and never fails."""

    name: ClassVar[str] = "ewma"
    version: ClassVar[int] = 1

    def __init__(self, rhythm: Rhythm) -> None:
        self.rhythm = rhythm

    def fresh(self) -> EwmaState:
        """Know nothing."""
        return EwmaState()

    def learn(self, state: EwmaState, item: str, period: ClosedPeriod, ahead: Sequence[Ahead] = ()) -> None:
        """Move mean and variance towards the period; a censored one never pulls the mean down."""
        del item, ahead
        if not period.is_open:
            return
        asked = max(period.demand, state.mean) if period.censored else period.demand
        demand = believed(float(asked), state.greatest, 0.0)
        state.greatest = max(state.greatest, asked)
        state.periods += 1
        if state.periods == 1:
            state.mean = state.variance = float(demand)  # as if Poisson
            return
        rate = max(RATE, 1 / state.periods)
        error = demand - state.mean
        state.mean += rate * error
        state.variance += rate * (error * error - state.variance)

    def forecast(self, state: EwmaState, item: str, ahead: Sequence[Ahead]) -> DemandForecast:
        """Add up the coming periods; closed ones add nothing."""
        del item
        path = tuple(state.mean if period.is_open else 0.0 for period in ahead)
        count = sum(1 for period in ahead if period.is_open)
        mean = state.mean * count
        variance = state.variance * (count + RATE * RATE * count * (count - 1) / 2)
        return DemandForecast(float(len(ahead)), mean, variance, gamma_quantiles(mean, variance), path)

    def correct(self, state: EwmaState, item: str, past: CorrectedPast) -> None:
        """Learn all that is remembered again."""
        again = self.fresh()
        for period in past.periods:
            self.learn(again, item, period)
        state.periods, state.mean, state.variance = again.periods, again.mean, again.variance
        state.greatest = again.greatest

    def shifted(self, state: EwmaState) -> bool:
        """Never: a few numbers cannot distinguish a shift from chance."""
        del state
        return False

    def dump(self, state: EwmaState) -> bytes:
        """Write the numbers."""
        return _encode(state)

    def load(self, data: bytes) -> EwmaState:
        """Read them back."""
        return _decode(data)

    def dump_shared(self) -> Mapping[str, bytes]:
        """Share nothing: every item is on its own."""
        return {}

    def load_shared(self, parts: Mapping[str, bytes]) -> None:
        """Take nothing in."""


def gamma_quantiles(mean: float, variance: float) -> tuple[float, ...]:
    """Quantiles at LEVELS of the gamma distribution with these moments.

    >>> gamma_quantiles(0.0, 0.0), gamma_quantiles(3.0, 0.0)[0]
    ((0.0, 0.0, 0.0, 0.0, 0.0), 3.0)
    """
    if mean <= _LEAST_MEAN:
        return (0.0,) * len(LEVELS)
    if variance <= mean * mean * 1e-12:
        return (mean,) * len(LEVELS)
    variance = min(variance, _MOST_VARIED * mean * mean)
    points = gammaincinv(mean * mean / variance, LEVELS) * (variance / mean)
    return tuple(points.tolist())
