"""The forecasters there are, by the name an item is configured with. A new one adds a file and a line here."""

from collections.abc import Callable, Mapping

from agents.forecasting.base import Forecaster, Rhythm
from agents.forecasting.ewma import Ewma

DEFAULT = "ewma"
"""Who forecasts where an item names nobody, or somebody unknown."""

FORECASTERS: Mapping[str, Callable[[Rhythm], Forecaster]] = {
    "ewma": Ewma,
}
