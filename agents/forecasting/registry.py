"""The forecasters there are, by the name an item is configured with. A new one adds a file and a line here.

A model of River adds only a line; another package adds an entry point (`brought.py`). They are imported when they are
made, because River takes a second to import and most shards need none of it.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from agents.forecasting.base import Forecaster, Rhythm
from agents.forecasting.brought import brought

DEFAULT = "blend"
"""Who forecasts where an item names nobody, or somebody unknown."""


def _later(module: str, name: str) -> Callable[[Rhythm], Forecaster]:
    """A maker that imports the forecaster's file when it is called."""

    def make(rhythm: Rhythm) -> Forecaster:
        made: Forecaster = getattr(import_module(f"agents.forecasting.{module}"), name)(rhythm)
        return made

    return make


def river(name: str, model: str, version: int = 1, **settings: Any) -> Callable[[Rhythm], Forecaster]:
    """A maker of the forecaster that asks a model of River, found as module:class and made with these settings."""

    def make(rhythm: Rhythm) -> Forecaster:
        module = import_module("agents.forecasting.simple.river_model")
        made: Forecaster = module.RiverModel(rhythm, name, model, version, **settings)
        return made

    return make


_OURS: Mapping[str, Callable[[Rhythm], Forecaster]] = {
    "blend": _later("blend.blend", "Blend"),
    "ewma": _later("simple.ewma", "Ewma"),
    "last-value": _later("simple.last_value", "LastValue"),
    "moving-average": _later("simple.moving_average", "MovingAverage"),
    "seasonal-naive": _later("simple.seasonal_naive", "SeasonalNaive"),
    "holt-winters": _later("simple.holt_winters", "HoltWinters"),
    "tsb": _later("simple.tsb", "Tsb"),
    "arma": _later("simple.arma", "Arma"),
    "calendar-regression": _later("simple.calendar_regression", "CalendarRegression"),
    "random-forest": river("random-forest", "river.forest:ARFRegressor", 2, n_models=5, seed=7),
}
FORECASTERS: Mapping[str, Callable[[Rhythm], Forecaster]] = {**_OURS, **brought("restock.forecasters", _OURS)}
