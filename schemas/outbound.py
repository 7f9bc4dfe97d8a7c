"""The events the project publishes: what to order and why, what to worry about, how each review went.

Fields without a default are always written; a field added later has a default and is written only if it differs.
Money and moments are text (`quantities.money`, `quantities.instant`), so that they read the same everywhere.

>>> Forecast(mean=41.2, quantiles={"0.5": 40.0, "0.9": 55.0}, horizon_days=5).quantiles["0.9"]
55.0
"""

from typing import Literal, NamedTuple, TypeAlias, dataclass_transform

import msgspec

from schemas.quantities import Instant, Money, item

AlertKind: TypeAlias = Literal[
    "low_stock",
    "stock_out",
    "negative_stock",
    "projected_stock_out",
    "overstock",
    "overdue_replenishment",
    "demand_shift",
    "dead_stock",
    "order_refused",
    "unusual_order",
]
AlertState: TypeAlias = Literal["raised", "cleared"]
Severity: TypeAlias = Literal["critical", "warning", "info"]
Decision: TypeAlias = Literal["replenish", "enough", "stock_unknown", "not_yet", "held"]
Role: TypeAlias = Literal["champion", "challenger", "baseline", "reference"]
ReplenishmentKind: TypeAlias = Literal["purchase", "transfer"]
Trigger: TypeAlias = Literal["review", "reorder_point"]


# Tells type checkers what subclasses inherit from msgspec anyway.
@dataclass_transform(frozen_default=True, kw_only_default=True)
class Outbound(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What all parts of outbound events have in common: frozen, written as JSON objects."""


class Position(Outbound):
    """An item's position, broken down as it stood when the decision was made."""

    on_hand: int
    """Units in the house; below 0 when more was sold than was there."""
    allocated: int
    """Reserved for orders that are not fulfilled yet."""
    backorders: int
    """Demand that waits for stock."""
    on_order: int
    """Requested, proposed or underway."""


class Forecast(Outbound):
    """Demand expected over a horizon: its mean, and its quantiles by their share as text (`"0.95"`)."""

    mean: float
    """Units expected over the horizon."""
    quantiles: dict[str, float]
    """By share, as text: demand stays at or below it with that probability."""
    horizon_days: float | None = None


class Why(Outbound):
    """The reason for a decision: enough to explain it without asking any other system."""

    policy: str
    """Name of the policy that decided."""
    version: int
    """Version of the policy."""
    role: Role
    position: Position
    """As it stood before this decision."""
    forecast: Forecast
    """Of demand until the next chance to order arrives."""
    reorder_point: int
    """At or below this position an order is due."""
    order_up_to: int
    """The position the order aims at."""
    safety_stock: int
    """What is kept against demand above the mean."""
    baseline_quantity: int
    """What the baseline policy would have ordered in the same place."""
    clamped_by: tuple[str, ...]
    """Guardrails that changed the quantity, in the order in which they did."""
    expected_cost: Money | None
    """Cost expected over the protection interval; null where the policy has no opinion."""
    trigger: Trigger = "review"
    """What led to the decision: a period that closed, or a position that fell."""
    service_level: float | None = None
    """The share of cycles without a stock-out that was aimed at."""
    lead_time_days: float | None = None
    """The lead time the decision reckoned with."""
    arm: str | None = None
    """The arm a learned policy chose."""
    advantage: float | None = None
    """How much less than the baseline this policy has cost by the cost ledger, as a share; negative when more."""
    asks: tuple[str, ...] = ()
    """Why a person is asked whatever the mode: `ask_above_units` or `ask_above_value`, limits that a planner set, or
    `beyond_facts`: nothing that happened so far explains these units."""
    explained_quantity: int | None = None
    """Of an order `beyond_facts`: the units that facts explain, which were ordered beside it."""


class Replenishment(Outbound):
    """An order of goods for an item; requested outright, or proposed first in approval mode, under the same id."""

    replenishment_id: str
    """Found again by `restock explain`; the same in every event about it."""
    sku: str
    location: str
    quantity: int
    """Units wanted; they respect the supplier's minimum and multiple."""
    kind: ReplenishmentKind
    need_by: Instant
    """When the goods should be there."""
    why: Why
    supplier: str | None = None
    """Who delivers a purchase, where configured."""
    source: str | None = None
    """The location a transfer comes from."""


class ReplenishmentRequested(Replenishment):
    """Deliver this; a warehouse or supplier acts on it."""


class ReplenishmentProposed(Replenishment):
    """A person is asked to approve or decline this; it counts as on order meanwhile, unless it is `beyond_facts`."""


class StockAlert(Outbound):
    """A condition began or ended: it is raised once and cleared once, both in the same episode."""

    alert_id: str
    """Of this alert; the episode's other one has another."""
    episode: str
    """The same when it is raised and when it is cleared."""
    sku: str
    location: str
    kind: AlertKind
    state: AlertState
    severity: Severity
    on_hand: int
    """Units in the house at that moment."""
    threshold: float | None
    """The number that was crossed; null where the kind has none."""
    days_of_supply: float | None
    """Available stock over expected demand a day."""
    projected_stock_out_at: Instant | None
    """When stock is expected to run out."""
    on_order: int
    """Units already on their way: low stock may need nothing more."""
    next_receipt_at: Instant | None
    """When the next of them is expected."""
    runbook: str
    """What to do about it."""
    available: int | None = None
    """On hand minus allocated minus backorders."""
    backorders: int = 0
    replenishment_id: str | None = None
    """The replenishment an alert is about, where it is about one."""
    lower_line: int | None = None
    """At so many available units, or fewer, the item is low; null before its first review."""
    upper_line: int | None = None
    """At so many available units, or more, there are too many; null while the item is new."""


class Period(Outbound):
    """A stretch of time: from its start up to, and without, its end."""

    starts: Instant
    """Inclusive."""
    ends: Instant
    """Exclusive."""


class Errors(Outbound):
    """How good the item's forecasts have been so far; null until there is something to judge by."""

    wape: float | None
    """Sum of absolute errors over sum of demand."""
    coverage_95: float | None
    """Share of periods whose demand was at most the 95 % quantile."""
    mae: float | None = None
    """Mean absolute error."""
    mse: float | None = None
    """Mean squared error."""
    rmse: float | None = None
    """Its root."""
    bias: float | None = None
    """Mean of forecast minus demand."""
    scaled_pinball: float | None = None
    """Pinball loss over the quantiles, relative to mean demand."""


class CostLedger(Outbound):
    """What each policy has cost, or would have cost, on the same demand so far."""

    champion: Money
    """Of the policy that acts."""
    baseline: Money
    """Of the analytic policy, had it acted."""
    challengers: dict[str, Money]
    """Of each policy that runs in shadow, by name."""


class Kpis(Outbound):
    """The figures a planner watches, per item; null until they are defined."""

    turnover: float | None
    """Units sold a year over mean units on hand."""
    days_of_supply: float | None
    """Available stock over expected demand a day."""
    holding_cost: Money
    """Of the period."""
    stock_out_rate: float | None
    """Share of periods that ended without available stock."""
    fill_rate: float | None
    """Share of demand served from stock."""


class ItemReviewed(Outbound):
    """One review of one item: what the closed period brought, what was decided, what it cost."""

    sku: str
    location: str
    period: Period
    """The period that closed."""
    demand: int
    """Units asked for in it, and late demand."""
    censored: bool
    """Whether a stock-out hid a part of the demand."""
    forecast: Forecast
    """What was forecast for it."""
    errors: Errors
    decision: Decision
    """`stock_unknown`: never counted; `not_yet`: before deciding begins; `held`: an order waits, because the last
    one came to nothing, or because the item has had its outputs of the day."""
    replenishment_id: str | None
    """What was ordered; null when nothing was."""
    cost: CostLedger
    kpis: Kpis
    trigger: Trigger = "review"
    policy: str | None = None
    """Name of the policy that acts."""
    position: Position | None = None
    drift: bool = False
    """Whether demand has shifted lately."""
    late_demand: int = 0
    """The part of `demand` that was asked for in periods closed before: forecasts learn it as theirs."""


Body: TypeAlias = ReplenishmentRequested | ReplenishmentProposed | StockAlert | ItemReviewed

OutputTopic: TypeAlias = Literal["replenishments", "alerts", "reviews"]


class OutputKind(NamedTuple):
    """Where an outbound type belongs: the topic it is published to, and the struct of its data."""

    topic: OutputTopic
    data: type[Body]


OUTBOUND: dict[str, OutputKind] = {
    "replenishment.requested": OutputKind("replenishments", ReplenishmentRequested),
    "replenishment.proposed": OutputKind("replenishments", ReplenishmentProposed),
    "stock.alert": OutputKind("alerts", StockAlert),
    "item.reviewed": OutputKind("reviews", ItemReviewed),
}
_TYPE_OF: dict[type, str] = {kind.data: name for name, kind in OUTBOUND.items()}


class OutputEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event to be published: the body, and what its envelope says.

    `correlation` is the correlation of the cause, `causation` the cause's id, `trace` its W3C trace context.
    """

    id: str
    time_ms: int
    """Event time: the logical moment of the decision, not the wall clock's."""
    body: Body
    source: str = "restock"
    correlation: str | None = None
    causation: str | None = None
    trace: str | None = None

    @property
    def type(self) -> str:
        """The CloudEvents type that belongs to the body."""
        return _TYPE_OF[type(self.body)]

    @property
    def topic(self) -> OutputTopic:
        """The logical name of the topic it is published to."""
        return OUTBOUND[self.type].topic

    @property
    def item(self) -> str:
        """The item it is about: subject and key."""
        return item(self.body.sku, self.body.location)
