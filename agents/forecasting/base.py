"""The protocol of a forecaster: it learns an item's periods one by one and forecasts the demand of the next ones.

A forecaster object belongs to one shard and may hold a model shared by its items. What it knows of one item is an
explicit state that it makes, updates, dumps and loads. It reads no clock, and all randomness comes from seeds.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import msgspec

if TYPE_CHECKING:
    from agents.forecasting.correction import CorrectedPast

LEVELS = (0.5, 0.8, 0.9, 0.95, 0.99)
"""The levels of the quantiles in every forecast."""


class Rhythm(msgspec.Struct, frozen=True):
    """The length of a period, and how many open periods make a season."""

    season: int = 7
    period_days: float = 1.0


class ClosedPeriod(msgspec.Struct, frozen=True, gc=False):
    """A closed period of one item: its demand, and what was known about the period."""

    starts: int
    """Milliseconds since 1970, as everywhere."""
    ends: int
    demand: float
    censored: bool = False
    """Stock ran out and no lost order was reported: demand was at least this."""
    is_open: bool = True
    """Whether the location sold at all; a closed period is not a zero."""
    promotion: float = 0.0
    price: float | None = None


class Ahead(msgspec.Struct, frozen=True, gc=False):
    """A coming period, with what is planned for it."""

    starts: int
    ends: int
    is_open: bool = True
    promotion: float = 0.0
    price: float | None = None


class DemandForecast(msgspec.Struct, frozen=True):
    """The distribution of the demand of the next `horizon` periods together.

    >>> DemandForecast(5, 41.2, 64.0, (40.0, 50.0, 55.0, 60.0, 66.0), (8.24,) * 5).quantile(0.85)
    52.5
    """

    horizon: float
    mean: float
    variance: float
    quantiles: tuple[float, ...]
    """At LEVELS, never falling."""
    path: tuple[float, ...]
    """Mean demand of each coming period."""

    def quantile(self, level: float) -> float:
        """Read between the levels in a straight line; outside them, the nearest."""
        points = list(zip(LEVELS, self.quantiles, strict=True))
        if level <= points[0][0]:
            return points[0][1]
        for (low, at_low), (high, at_high) in pairwise(points):
            if level <= high:
                return at_low + (at_high - at_low) * (level - low) / (high - low)
        return points[-1][1]


class Forecaster(Protocol):
    """A forecaster is one file and one line in the registry; `tests/agents/forecasting` then tests its contract.

    It is made as `Class(rhythm)`. Periods in which the location was shut may be passed on or left out: nothing is
    learned from them, and they do not count in a horizon.
    """

    name: ClassVar[str]
    version: ClassVar[int]

    def fresh(self) -> Any:
        """Make the state of an item of which nothing is known."""
        ...

    def learn(self, state: Any, item: str, period: ClosedPeriod, ahead: Sequence[Ahead] = ()) -> None:
        """Take in a closed period, and the plan of the coming ones; periods come in order, one call each.

        `ahead` is the protection interval as it is known now. A forecaster that learns from its own errors files a
        forecast for it here and judges that forecast when the interval has passed.
        """
        ...

    def forecast(self, state: Any, item: str, ahead: Sequence[Ahead]) -> DemandForecast:
        """Forecast the demand of all of `ahead` together; changes nothing.

        Right after `learn` with the same `ahead` it costs next to nothing: `learn` has made that forecast already.
        """
        ...

    def correct(self, state: Any, item: str, past: "CorrectedPast") -> None:
        """Know of the item what it would know had it learned `past` as it stands now; what items share stays.

        After a slip of the pen it is forgotten, too, how well this item was forecast.
        """
        ...

    def shifted(self, state: Any) -> bool:
        """Whether the last period raised the alarm that the item's demand is not what it was."""
        ...

    def dump(self, state: Any) -> bytes:
        """Write an item's state; `load` of it forecasts the same, bit for bit."""
        ...

    def load(self, data: bytes) -> Any:
        """Read an item's state; a blob that is not one raises ValueError."""
        ...

    def dump_shared(self) -> Mapping[str, bytes]:
        """Write what the shard's items share, in named parts, those changed since the last call only."""
        ...

    def load_shared(self, parts: Mapping[str, bytes]) -> None:
        """Read what the shard's items share."""
        ...
