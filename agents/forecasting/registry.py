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
    "blend": _later("blend", "Blend"),
    "ewma": _later("ewma", "Ewma"),
    "last-value": _later("last_value", "LastValue"),
    "moving-average": _later("moving_average", "MovingAverage"),
    "seasonal-naive": _later("seasonal_naive", "SeasonalNaive"),
    "holt-winters": _later("holt_winters", "HoltWinters"),
    "tsb": _later("tsb", "Tsb"),
    "arma": _later("arma", "Arma"),
    "calendar-regression": _later("calendar_regression", "CalendarRegression"),
    "random-forest": _later("random_forest", "RandomForest"),
}
