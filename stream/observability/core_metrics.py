"""Metrics of what the cores count: movements, stock, decisions, and how good forecasts and policies are.

Counters are summed over every core that this process has ever held, gauges only over those it holds now.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import TypeVar, get_args

from prometheus_client.core import Metric

from schemas.outbound import AlertKind
from stream.observability.core_counters import CoreCounters, CoreLabels, ForecastSums
from stream.observability.metric_families import counter, gauge

Key = TypeVar("Key", str, CoreLabels)
INVARIANTS = tuple(f"I{number}" for number in range(1, 13))
"""As docs/guarantees.md numbers them."""
CLASSES = ("A", "B", "C")
FORECAST_SUMS = {
    "judged": ("restock_forecasts_judged", "Forecasts of a protection interval whose time has come."),
    "covered": ("restock_forecasts_covered", "Judged forecasts whose 95 % quantile the demand did not exceed."),
    "demand": ("restock_forecast_demand_units", "Units asked for in the intervals of judged forecasts."),
    "over": ("restock_forecast_over_units", "Units that judged forecasts had too many."),
    "under": (
        "restock_forecast_under_units",
        "Units that judged forecasts had too few; with those too many, the absolute error.",
    ),
    "squared": ("restock_forecast_squared_units", "Squared errors of judged forecasts."),
    "pinball": ("restock_forecast_pinball_units", "Pinball loss of judged forecasts, the mean over the quantiles."),
}
"""Sums kept for each class, by the fields of `agents.core.counters.ErrorSums`."""
TOTALS: tuple[tuple[str, str, Callable[[CoreCounters], int]], ...] = (
    ("restock_movements_applied", "Movements and notices applied.", lambda core: core.applied),
    ("restock_orphans_dropped", "Movements whose predecessor is missing: they come again.", lambda core: core.orphans),
    ("restock_late_events", "Movements timed in a closed period.", lambda core: core.late),
    ("restock_unordered_receipts", "Receipts for a replenishment that is not open.", lambda core: core.unordered),
    ("restock_demand_shifts", "Alerts that demand has shifted.", lambda core: core.drifts),
    ("restock_reviews", "Reviews made.", lambda core: core.reviews),
)
BY_LABEL: tuple[tuple[str, str, str, Callable[[CoreCounters], Mapping[str, float]]], ...] = (
    (
        "restock_guardrail_clamps",
        "Quantities that a guardrail changed, but for what facts do not explain while they are young.",
        "guardrail",
        lambda core: core.clamps,
    ),
    ("restock_learner_failures", "Failures of forecasters and policies.", "name", lambda core: core.failures),
    ("restock_demand_units", "Units asked for in closed periods.", "class", lambda core: core.demand),
    (
        "restock_unserved_units",
        "Units asked for in closed periods that found no stock.",
        "class",
        lambda core: core.unserved,
    ),
)
BY_TWO_LABELS: tuple[tuple[str, str, tuple[str, str], Callable[[CoreCounters], Mapping[CoreLabels, float]]], ...] = (
    ("restock_decisions", "Replenishments decided.", ("policy", "kind"), lambda core: core.decisions),
    ("restock_ordered_units", "Units ordered.", ("policy", "kind"), lambda core: core.units),
    (
        "restock_policy_cost",
        "What each contestant would have cost on the same demand, in money.",
        ("class", "contestant"),
        lambda core: core.costs,
    ),
)


def core_metrics(ever: Iterable[CoreCounters], now: Sequence[CoreCounters]) -> Iterator[Metric]:
    """The metrics of every core this process has ever held, and of those it holds now."""
    yield from _counters(list(ever))
    yield from _gauges(now)


def _summed(cores: Iterable[CoreCounters], of: Callable[[CoreCounters], Mapping[Key, float]]) -> dict[Key, float]:
    """A counter with labels, over these cores."""
    total: defaultdict[Key, float] = defaultdict(int)
    for core in cores:
        for labels, number in of(core).items():
            total[labels] += number
    return total


def _counters(cores: Sequence[CoreCounters]) -> Iterator[Metric]:
    for name, text, number in TOTALS:
        yield counter(name, text, sum(map(number, cores)))
    duplicates = {"technical": 0, "business": 0} | _summed(cores, lambda core: core.duplicates)
    yield counter("restock_duplicates_dropped", "Movements and notices that had come before.", (("kind",), duplicates))
    violations = dict.fromkeys(INVARIANTS, 0) | _summed(cores, lambda core: core.violations)
    yield counter(
        "restock_invariant_violations",
        "Violated invariants, as docs/guarantees.md numbers them.",
        (("invariant",), violations),
    )
    for name, text, label, numbers in BY_LABEL:
        yield counter(name, text, ((label,), _summed(cores, numbers)))
    for name, text, labels, numbers_of_two in BY_TWO_LABELS:
        yield counter(name, text, (labels, _summed(cores, numbers_of_two)))
    yield from _forecast_sums(cores)


def _forecast_sums(cores: Sequence[CoreCounters]) -> Iterator[Metric]:
    """How good forecasts are, as sums: the rates of two of them make every usual measure."""
    errors: dict[str, ForecastSums] = {}
    for core in cores:
        for abc, sums in core.errors.items():
            errors[abc] = errors[abc] + sums if abc in errors else sums
    for field, (name, text) in FORECAST_SUMS.items():
        yield counter(name, text, (("class",), {abc: getattr(of, field) for abc, of in errors.items()}))


def _gauges(cores: Sequence[CoreCounters]) -> Iterator[Metric]:
    items, at_risk, fallen_back = (Counter(dict.fromkeys(CLASSES, 0)) for _ in range(3))
    alerts = Counter(dict.fromkeys(product(get_args(AlertKind), CLASSES), 0))
    for gauges in (core.gauges for core in cores):
        items.update(gauges.items)
        at_risk.update(gauges.at_risk)
        fallen_back.update(gauges.fallen_back)
        for label, number in gauges.open_alerts.items():
            kind, _, abc = label.partition(" ")
            alerts[kind, abc] += number
    yield gauge("restock_items_tracked", "Items of the shards that this worker owns.", (("class",), items))
    yield gauge("restock_items_at_risk", "Items without available stock, or soon to be.", (("class",), at_risk))
    yield gauge("restock_alerts_open", "Alerts raised and not cleared.", (("kind", "class"), alerts))
    yield gauge(
        "restock_champions_fallen_back", "Items whose champion fell back to the baseline.", (("class",), fallen_back)
    )
    oldest = min((hour for core in cores for hour in core.gauges.proposals), default=0)
    text = "When the oldest proposal that waits for an answer was made, down to the hour; 0 where none waits."
    yield gauge("restock_oldest_proposal_timestamp_seconds", text, oldest / 1000)
    silent = max((core.silent_feeds for core in cores), default=0)
    yield gauge("restock_silent_feeds", "Source feeds that the watermark does not wait for.", silent)
