"""What a core counts, as a protocol for metrics: `stream` must not import a core.

The real one is `agents/core/counters.py`. Keys are labels: one text, or several in the order of the metric's labels.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Protocol, Self, TypeAlias

from schemas.ledger import Milliseconds

CoreLabels: TypeAlias = tuple[str, ...]


class ForecastSums(Protocol):
    """Sums over judged forecasts; `core_metrics.FORECAST_SUMS` names them."""

    def __add__(self, other: Self) -> Self:
        """The sums of both."""
        ...


class CoreGauges(Protocol):
    """Numbers of the state as it is now, each by class; alerts by kind and class, such as `low_stock A`."""

    items: dict[str, int]
    at_risk: dict[str, int]
    open_alerts: dict[str, int]
    fallen_back: dict[str, int]
    proposals: dict[Milliseconds, int]
    """Open ones, by the hour in which they were made."""


class CoreCounters(Protocol):
    """The counters of one core; each grows from zero in every process."""

    applied: int
    orphans: int
    late: int
    unordered: int
    reviews: int
    drifts: int
    duplicates: Counter[str]
    refused: Counter[str]
    decisions: Counter[CoreLabels]
    units: Counter[CoreLabels]
    clamps: Counter[str]
    violations: Counter[str]
    failures: Counter[str]
    demand: Counter[str]
    unserved: Counter[str]
    costs: defaultdict[CoreLabels, float]
    silent_feeds: int
    """Source feeds that the last tick found silent: no counter, and not added up."""
    watermark: Milliseconds | None
    """As the last tick left it: no counter, and not added up."""

    @property
    def errors(self) -> Mapping[str, ForecastSums]:
        """Sums over judged forecasts, by class."""
        ...

    @property
    def gauges(self) -> CoreGauges:
        """Numbers of the state as it is now."""
        ...

    def add(self, other: Self) -> None:
        """Count on from what another has counted."""
        ...
