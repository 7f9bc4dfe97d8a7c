"""Calendar regression: demand from month, weekday, weekend and promotion, as the article had it. About 200 µs a period.

River's Bayesian linear regression: it needs no step size, and what it has not seen yet stays at the mean.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

from river.linear_model import BayesianLinearRegression

from agents.forecasting.base import Ahead
from agents.forecasting.simple.simple import SeenPeriod, Simple

_SATURDAY = 5


class CalendarRegression(Simple):
    """A weight for each month and weekday, for weekends and for promotions."""

    name: ClassVar[str] = "calendar-regression"

    def begin(self) -> BayesianLinearRegression:
        """Make River's model."""
        return BayesianLinearRegression(alpha=1.0, beta=1.0)

    def teach(self, model: Any, before: Sequence[SeenPeriod], newest: SeenPeriod) -> None:
        """Learn a period from its date."""
        del before
        model.learn_one(calendar_of(newest), newest.demand)

    def foresee(self, seen: Sequence[SeenPeriod], ahead: Sequence[Ahead], model: Any) -> Sequence[float]:
        """One prediction a period."""
        del seen
        return [model.predict_one(calendar_of(period)) for period in ahead]


def calendar_of(period: SeenPeriod | Ahead) -> Mapping[str, float]:
    """What the calendar says of a period, by its middle.

    >>> calendar_of(SeenPeriod(0, 86_400_000, 3.0, 0.5))
    {'always': 1.0, 'month 1': 1.0, 'weekday 3': 1.0, 'weekend': 0.0, 'promotion': 0.5}
    """
    middle = datetime.fromtimestamp((period.starts + period.ends) / 2000.0, UTC)
    return {
        "always": 1.0,
        f"month {middle.month}": 1.0,
        f"weekday {middle.weekday()}": 1.0,
        "weekend": float(middle.weekday() >= _SATURDAY),
        "promotion": min(max(period.promotion, 0.0), 1.0),
    }
