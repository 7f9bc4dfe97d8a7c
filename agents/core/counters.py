"""What a core has counted since its process began: plain numbers, from which metrics are made.

A shard that was just loaded knows its gauges (open alerts, items at risk) without looking at every item, since they are
stored in the table `shared`. All other numbers count from zero in every process, as Prometheus expects.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Self, TypeAlias, TypeVar

import msgspec

from agents.forecasting.accuracy import JudgedForecast
from schemas.ledger import Milliseconds
from schemas.quantities import HOUR_MS

Labels: TypeAlias = tuple[str, ...]
Label = TypeVar("Label", str, Milliseconds)
_OF_THE_STATE = {"silent_feeds", "watermark"}


class Gauges(msgspec.Struct, array_like=True):
    """Numbers that belong to the state."""

    open_alerts: dict[str, int] = {}
    """By kind and class, such as `low_stock A`."""
    at_risk: dict[str, int] = {}
    """Items without available stock, or soon to be, by class."""
    items: dict[str, int] = {}
    """By class."""
    fallen_back: dict[str, int] = {}
    """Items whose champion was credibly dearer than the baseline, which acts for it, by class."""
    proposals: dict[Milliseconds, int] = {}
    """Proposals that wait for an answer, by the beginning of the hour in which they were made."""


class ErrorSums(msgspec.Struct, frozen=True):
    """Sums over judged forecasts, from which every usual measure follows.

    >>> ErrorSums(1, over=2.0) + ErrorSums(1, under=3.0)
    ErrorSums(judged=2, over=2.0, under=3.0, squared=0.0, demand=0.0, covered=0, pinball=0.0)
    """

    judged: int = 0
    over: float = 0.0
    """Units forecast too many; with `under` the absolute errors, less `under` the bias."""
    under: float = 0.0
    squared: float = 0.0
    demand: float = 0.0
    covered: int = 0
    """Demands within the 95 % quantile."""
    pinball: float = 0.0

    def __add__(self, other: "ErrorSums") -> "ErrorSums":
        """The sums of both."""
        pairs = zip(msgspec.structs.astuple(self), msgspec.structs.astuple(other), strict=True)
        return ErrorSums(*(one + another for one, another in pairs))


class Counters:
    """Counters of one core in one process, as `stream.observability.core_counters.CoreCounters` has them."""

    def __init__(self) -> None:
        self.applied = 0
        self.duplicates: Counter[str] = Counter()
        """`technical`: came again from intake; `business`: published again under the same id."""
        self.orphans = 0
        self.late = 0
        self.unordered = 0
        """Receipts for a replenishment that is not open."""
        self.counts = 0
        self.count_differences = 0
        """Units by which counts moved the stock, up or down."""
        self.refused: Counter[str] = Counter()
        """By reason."""
        self.reviews = 0
        self.decisions: Counter[Labels] = Counter()
        """By policy and kind (`requested`, `proposed`)."""
        self.units: Counter[Labels] = Counter()
        """By policy and kind."""
        self.clamps: Counter[str] = Counter()
        """By guardrail."""
        self.violations: Counter[str] = Counter()
        """By invariant."""
        self.failures: Counter[str] = Counter()
        """Forecasters and policies that raised an error or answered with no number, by name."""
        self.errors: dict[str, ErrorSums] = {}
        """By class."""
        self.costs: defaultdict[Labels, float] = defaultdict(float)
        """Money by class and contestant (`champion`, `baseline`, or a challenger's name); only one really spent it."""
        self.demand: Counter[str] = Counter()
        """Units asked for in closed periods, by class."""
        self.unserved: Counter[str] = Counter()
        """Those of them that found no stock."""
        self.drifts = 0
        self.gauges = Gauges()
        self.silent_feeds = 0
        self.watermark: Milliseconds | None = None

    def add(self, other: Self) -> None:
        """Add what another has counted; gauges are left out, since they belong to the state."""
        for name, value in vars(other).items():
            if isinstance(value, Counter):
                getattr(self, name).update(value)
            elif isinstance(value, int) and name not in _OF_THE_STATE:
                setattr(self, name, getattr(self, name) + value)
        for abc, errors in other.errors.items():
            self.errors[abc] = self.errors.get(abc, ErrorSums()) + errors
        for label, cost in other.costs.items():
            self.costs[label] += cost

    def decide(self, policy: str, kind: str, quantity: int) -> None:
        """Count a new decision."""
        self.decisions[policy, kind] += 1
        self.units[policy, kind] += quantity

    def count_stock(self, difference: int) -> None:
        """Count a stock count, which moved the stock by so many units up or down."""
        self.counts += 1
        self.count_differences += difference

    def review(self, abc: str, demand: int, unserved: int) -> None:
        """Count a review."""
        self.reviews += 1
        self.demand[abc] += demand
        self.unserved[abc] += unserved

    def judge(self, abc: str, judged: JudgedForecast) -> None:
        """Count a forecast that was judged."""
        over, under = max(judged.error, 0.0), max(-judged.error, 0.0)
        errors = ErrorSums(1, over, under, judged.error**2, judged.demand, int(judged.covered), judged.pinball)
        self.errors[abc] = self.errors.get(abc, ErrorSums()) + errors

    def spend(self, abc: str, before: Mapping[str, float], after: Mapping[str, float]) -> None:
        """Count what a period has cost each contestant."""
        for contestant, cost in after.items():
            self.costs[abc, contestant] += max(0.0, cost - before.get(contestant, 0.0))

    def fall(self, before: str | None, after: str | None) -> None:
        """Count an item that falls back to the baseline in a class (None before), or no longer does (None after)."""
        if before is not None:
            _step(self.gauges.fallen_back, before, -1)
        if after is not None:
            _step(self.gauges.fallen_back, after, 1)

    def alert(self, kind: str, abc: str, *, raised: bool) -> None:
        """Count an alert that begins or ends."""
        _step(self.gauges.open_alerts, f"{kind} {abc}", 1 if raised else -1)

    def reclass(self, before: str | None, after: str, kinds: list[str], *, at_risk: bool) -> None:
        """Move an item and its alerts from one class to another; a new item comes from None."""
        if before is not None:
            _step(self.gauges.items, before, -1)
            self.risk(before, -1 if at_risk else 0)
            for kind in kinds:
                self.alert(kind, before, raised=False)
        _step(self.gauges.items, after, 1)
        self.risk(after, 1 if at_risk else 0)
        for kind in kinds:
            self.alert(kind, after, raised=True)

    def risk(self, abc: str, change: int) -> None:
        """Count an item that comes to be at risk, or no longer is."""
        _step(self.gauges.at_risk, abc, change)

    def wait(self, before: Sequence[Milliseconds], after: Sequence[Milliseconds]) -> None:
        """Count the open proposals of an item, given as the moments at which they were made."""
        for moment in before:
            _step(self.gauges.proposals, moment // HOUR_MS * HOUR_MS, -1)
        for moment in after:
            _step(self.gauges.proposals, moment // HOUR_MS * HOUR_MS, 1)
        self.gauges.proposals = {hour: number for hour, number in self.gauges.proposals.items() if number}

    def dump(self) -> Mapping[str, bytes]:
        """Write the gauges, the same bytes whatever the order in which they came to be."""
        gauges = self.gauges
        ordered = {name: dict(sorted(getattr(gauges, name).items())) for name in gauges.__struct_fields__}
        return {"gauges": _encode(Gauges(**ordered))}

    def load(self, fields: Mapping[str, bytes]) -> None:
        """Read the gauges."""
        if "gauges" in fields:
            self.gauges = _decode(fields["gauges"])


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Gauges).decode


def _step(of: dict[Label, int], label: Label, change: int) -> None:
    if change:
        of[label] = of.get(label, 0) + change
