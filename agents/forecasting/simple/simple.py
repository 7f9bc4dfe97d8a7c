"""What the simple forecasters have in common: they remember the last periods and make a path of means from them.

Around the path lies a gamma distribution whose variance is that of the errors of the first step so far. What is stored
is the past itself, bounded; a model that is learned from it (Holt-Winters, ARMA, a forest: River's) is made again by
replaying it, which is exact, and needs no pickle. When the past has grown to twice what is wanted, its older half goes
and the model begins anew on the newer one.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any, ClassVar

import msgspec

from agents.forecasting.base import Ahead, ClosedPeriod, DemandForecast, Rhythm
from agents.forecasting.correction import CorrectedPast
from agents.forecasting.rhythm import MONTH, pace_of
from agents.forecasting.simple.ewma import gamma_quantiles
from agents.forecasting.slips import believed

KEPT = 112
"""Periods kept at least; at most twice as many."""
_RATE = 0.05
_MOST = 1e9


class SeenPeriod(msgspec.Struct, array_like=True, gc=False, frozen=True):
    """A period as it is remembered."""

    starts: int
    ends: int
    demand: float
    promotion: float


class RememberedPast(msgspec.Struct, array_like=True):
    """The state of one item."""

    periods: int = 0
    seen: list[SeenPeriod] = []
    variance: float = 0.0
    """Of the first step's errors."""
    greatest: float = 0.0
    """Greatest demand as it was asked for."""
    errors: list[float] = []
    """Of the last first steps, where the forecaster reads its distribution from them."""


_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(RememberedPast)


class SimpleState:
    """A past, and the model learned from it, which is not written."""

    __slots__ = ("model", "past")

    def __init__(self, past: RememberedPast) -> None:
        self.past = past
        self.model: Any = None


class Simple(ABC):
    """A forecaster of means; a subclass says what comes from the past, and how to learn if it learns."""

    name: ClassVar[str]
    version: ClassVar[int] = 1

    def __init__(self, rhythm: Rhythm) -> None:
        self.rhythm = rhythm
        pace = pace_of(rhythm)
        self.season = int(pace["season"][0])
        self.window = int(pace["windows"][0, MONTH])
        """Periods that a usual average is taken of: four weeks of days."""

    @abstractmethod
    def foresee(self, seen: Sequence[SeenPeriod], ahead: Sequence[Ahead], model: Any) -> Sequence[float]:
        """Mean demand of each of the open periods `ahead`; `seen` is not empty."""

    def begin(self) -> Any:
        """Make the model of an item; None where there is none."""
        return None

    def teach(self, model: Any, before: Sequence[SeenPeriod], newest: SeenPeriod) -> None:  # noqa: B027 - most have nothing to learn
        """Let a model learn a period; `before` are those remembered before it."""

    def fresh(self) -> SimpleState:
        """Know nothing."""
        return SimpleState(RememberedPast())

    def learn(self, state: SimpleState, item: str, period: ClosedPeriod, ahead: Sequence[Ahead] = ()) -> None:
        """Remember the period; a censored one counts as what was expected, if that is more."""
        del item, ahead
        if not period.is_open:
            return
        past = state.past
        coming = Ahead(period.starts, period.ends, promotion=period.promotion, price=period.price)
        expected = self._path(state, [coming])[0] if past.seen else 0.0
        demand = min(max(float(period.demand), 0.0), _MOST) if isfinite(period.demand) else expected
        if period.censored:
            demand = max(demand, expected)
        asked, demand = demand, believed(demand, past.greatest, 0.0)
        past.greatest = max(past.greatest, asked)
        past.periods += 1
        if past.periods > 1:
            self.err(past, demand - expected)
        else:
            past.variance = demand
        newest = SeenPeriod(period.starts, period.ends, demand, min(max(period.promotion, 0.0), 1.0))
        model = self._model(state)
        if model is not None:
            self.teach(model, past.seen, newest)
        past.seen.append(newest)
        if len(past.seen) >= 2 * KEPT:
            del past.seen[:-KEPT]
            state.model = None

    def forecast(self, state: SimpleState, item: str, ahead: Sequence[Ahead]) -> DemandForecast:
        """Add up the path."""
        del item
        coming = [period for period in ahead if period.is_open]
        found = iter(self._path(state, coming) if state.past.seen and coming else [0.0] * len(coming))
        path = tuple(next(found) if period.is_open else 0.0 for period in ahead)
        mean, variance = sum(path), state.past.variance * len(coming)
        return DemandForecast(float(len(ahead)), mean, variance, self.quantiles(state.past, mean, len(coming)), path)

    def err(self, past: RememberedPast, error: float) -> None:
        """Take in by how much demand was more than the first step had said."""
        past.variance += max(_RATE, 1.0 / (past.periods - 1)) * (error * error - past.variance)

    def quantiles(self, past: RememberedPast, mean: float, periods: int) -> tuple[float, ...]:
        """Of the demand of so many periods together, at LEVELS."""
        return gamma_quantiles(mean, past.variance * periods)

    def correct(self, state: SimpleState, item: str, past: CorrectedPast) -> None:
        """Remember the last periods as they are now, and learn them again."""
        state.past, state.model = RememberedPast(), None
        for period in past.periods[-KEPT:]:
            self.learn(state, item, period)

    def shifted(self, state: SimpleState) -> bool:
        """Never: a simple forecaster looks for no shift."""
        del state
        return False

    def dump(self, state: SimpleState) -> bytes:
        """Write the past."""
        return _encode(state.past)

    def load(self, data: bytes) -> SimpleState:
        """Read it back; the model is made again when it is needed."""
        try:
            past = _decoder.decode(data)
        except msgspec.MsgspecError as error:
            raise ValueError(f"not what {self.name} knows of an item: {error}") from error
        numbers = [past.variance, past.greatest]
        numbers += [value for seen in past.seen for value in (seen.demand, seen.promotion)]
        sound = all(isfinite(number) and number >= 0.0 for number in numbers) and all(map(isfinite, past.errors))
        if len(past.seen) > 2 * KEPT or len(past.errors) > KEPT or not sound:
            raise ValueError(f"not what {self.name} knows of an item")
        return SimpleState(past)

    def dump_shared(self) -> Mapping[str, bytes]:
        """Share nothing."""
        return {}

    def load_shared(self, parts: Mapping[str, bytes]) -> None:  # noqa: B027 - there is nothing shared
        """Take nothing in."""

    def _model(self, state: SimpleState) -> Any:
        if state.model is None:
            state.model = self.begin()
            if state.model is not None:
                for number, newest in enumerate(state.past.seen):
                    self.teach(state.model, state.past.seen[:number], newest)
        return state.model

    def _path(self, state: SimpleState, ahead: Sequence[Ahead]) -> list[float]:
        """The path, kept from running away: between zero and thrice the most that was remembered."""
        seen = state.past.seen
        most = 3.0 * max(period.demand for period in seen)
        path = [float(value) for value in self.foresee(seen, ahead, self._model(state))]
        usual = sum(period.demand for period in seen) / len(seen)
        return [min(max(value, 0.0), most) if isfinite(value) else usual for value in path]
