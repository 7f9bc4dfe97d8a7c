"""The forecasters there are, by the name an item is configured with. A new one adds a file and a line here.

They are imported when they are made, because River takes a second to import and most shards need none of it.
"""

from collections.abc import Callable, Mapping
from importlib import import_module

from agents.forecasting.base import Forecaster, Rhythm

DEFAULT = "blend"
"""Who forecasts where an item names nobody, or somebody unknown."""


def _later(module: str, name: str) -> Callable[[Rhythm], Forecaster]:
    """A maker that imports the forecaster's file when it is called."""

    def make(rhythm: Rhythm) -> Forecaster:
        made: Forecaster = getattr(import_module(f"agents.forecasting.{module}"), name)(rhythm)
        return made

    return make


FORECASTERS: Mapping[str, Callable[[Rhythm], Forecaster]] = {
    "blend": _later("blend.blend", "Blend"),
    "ewma": _later("simple.ewma", "Ewma"),
    "last-value": _later("simple.last_value", "LastValue"),
    "moving-average": _later("simple.moving_average", "MovingAverage"),
    "seasonal-naive": _later("simple.seasonal_naive", "SeasonalNaive"),
    "holt-winters": _later("simple.holt_winters", "HoltWinters"),
    "tsb": _later("simple.tsb", "Tsb"),
    "arma": _later("simple.arma", "Arma"),
    "calendar-regression": _later("simple.calendar_regression", "CalendarRegression"),
    "random-forest": _later("simple.random_forest", "RandomForest"),
}
