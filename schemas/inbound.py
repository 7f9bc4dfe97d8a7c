"""The events that shops, warehouses, suppliers and planners publish: one struct for the data of each type.

`INBOUND` says which type belongs to which struct and topic. A field without a default must be there; an optional
one may be absent or null. Unknown fields are ignored: a field whose name is in the wrong case counts as missing.

>>> INBOUND["stock.counted"].topic, INBOUND["stock.counted"].data.__name__
('stock', 'StockCounted')
"""

from typing import Annotated, Literal, NamedTuple, TypeAlias, dataclass_transform

from msgspec import UNSET, Meta, Struct, UnsetType, field

from schemas.quantities import (
    ClosedDay,
    Count,
    Days,
    Delta,
    Factor,
    Location,
    Moment,
    Money,
    Name,
    PositiveDays,
    Quantity,
    Share,
    Sku,
    Text,
    Weekday,
)

SourceTopic: TypeAlias = Literal["orders", "stock", "catalog"]


# Tells type checkers what subclasses inherit from msgspec anyway.
@dataclass_transform(frozen_default=True, kw_only_default=True)
class Inbound(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What all parts of inbound events have in common: frozen, and without cycles for the garbage collector."""


class OfItem(Inbound):
    """An event about one item: a sku at a location."""

    sku: Sku
    location: Location


# Orders and returns -------------------------------------------------------------------------------------------------


class Line(Inbound):
    """Some units of one item within an order or a return."""

    line_id: Name
    """Tells the lines of one event apart."""
    sku: Sku
    location: Location
    quantity: Quantity


class OrderLine(Line):
    """A line as it was ordered."""

    unit_price: Money | None = None
    promotion: Name | None = None
    """The promotion the customer bought under."""


OrderLines: TypeAlias = Annotated[tuple[OrderLine, ...], Meta(min_length=1)]
Lines: TypeAlias = Annotated[tuple[Line, ...], Meta(min_length=1)]


class OrderPlaced(Inbound):
    """An order was accepted: demand. It takes stock at once (`immediate`) or reserves it (`reserve`)."""

    order_id: Name
    lines: OrderLines
    channel: Name | None = None
    customer: Text | None = None
    """Dropped or hashed with a key at intake; kept nowhere else."""


class OrderRejected(Inbound):
    """An order was refused: demand that was lost, and that forecasts learn of."""

    order_id: Name
    lines: OrderLines
    reason: Text
    """`out_of_stock`, or any other."""


class OrderCancelled(Inbound):
    """Lines of an order were taken back: stock or reservation returns, and its demand leaves the period it was in."""

    order_id: Name
    lines: Lines
    reason: Text
    ordered_at: Moment | None = None
    """When the order was placed. Without it the period is found for the item's newest events and periods only."""


class DemandCorrected(OfItem):
    """Demand was booked that nobody had, such as a typing error: it is taken out, and forgotten. Stock stays."""

    correction_id: Name
    at: Moment
    """When it was booked: the time of the mistaken order."""
    quantity: Quantity
    """So many units less; at most what is remembered of that period."""
    reason: Text


class OrderFulfilled(Inbound):
    """Reserved units left the warehouse; ignored for items that take stock at once."""

    order_id: Name
    lines: Lines
    shipment_id: Name


class ReturnReceived(Inbound):
    """A customer sent units back. They become stock again only if `restock` is true, and never lower demand."""

    return_id: Name
    lines: Lines
    restock: bool
    order_id: Name | None = None


# Stock --------------------------------------------------------------------------------------------------------------


class StockReceived(OfItem):
    """Goods arrived; those of a replenishment lower what is on order, and the lead time is learned from them."""

    receipt_id: Name
    accepted: Count
    """Units taken into stock."""
    rejected: Count
    """Units that were delivered and turned away."""
    final: bool
    """Whether nothing more of the replenishment will come."""
    replenishment_id: Name | None = None
    supplier: Name | None = None


class StockAdjusted(OfItem):
    """Stock was corrected by a difference."""

    adjustment_id: Name
    delta: Delta
    reason: Text


class StockCounted(OfItem):
    """Stock was counted: at `as_of` there were so many units, whatever had been booked before."""

    count_id: Name
    counted: Count
    as_of: Moment
    """When the count was true; at most 48 hours in the past."""


class StockTransferred(Inbound):
    """Units go from one location to another: one event when they are shipped, one when they are received."""

    transfer_id: Name
    sku: Sku
    source: Location = field(name="from")
    destination: Location = field(name="to")
    quantity: Quantity
    phase: Literal["shipped", "received"]
    eta: Moment | None = None
    """When they are expected to arrive."""


class OfReplenishment(OfItem):
    """An event about a replenishment that was requested or proposed."""

    replenishment_id: Name
    """As in `replenishment.requested`."""


class ReplenishmentAcknowledged(OfReplenishment):
    """The supplier answered: what is on order becomes what was confirmed."""

    status: Literal["accepted", "partial", "rejected"]
    confirmed: Count
    promised_at: Moment | None = None


class ReplenishmentShipped(OfReplenishment):
    """The supplier shipped; only the expected arrival changes."""

    quantity: Quantity
    eta: Moment | None = None


class ReplenishmentCancelled(OfReplenishment):
    """A replenishment was cut short: what is on order of it becomes `remaining`."""

    remaining: Count


class ReplenishmentApproved(OfReplenishment):
    """In approval mode: the proposal becomes a request."""


class ReplenishmentDeclined(OfReplenishment):
    """In approval mode: the proposal is dropped."""


# Catalogue ----------------------------------------------------------------------------------------------------------


class ItemConfigured(OfItem):
    """An item's terms. A field that is absent stays as it was; null puts it back to its default."""

    unit_cost: Money | UnsetType | None = UNSET
    price: Money | UnsetType | None = UNSET
    holding_rate: Factor | UnsetType | None = UNSET
    """Cost of holding a unit for a year, as a share of its cost."""
    order_cost: Money | UnsetType | None = UNSET
    """Fixed cost of one replenishment."""
    shortage_cost: Money | UnsetType | None = UNSET
    """Cost of one unit of unmet demand; sets the critical ratio in place of the service level."""
    service_level: Share | UnsetType | None = UNSET
    lead_time_days: Days | UnsetType | None = UNSET
    review_period_days: PositiveDays | UnsetType | None = UNSET
    """A multiple of the demand period."""
    supplier: Name | UnsetType | None = UNSET
    minimum_order: Count | UnsetType | None = UNSET
    order_multiple: Quantity | UnsetType | None = UNSET
    capacity: Count | UnsetType | None = UNSET
    """Bounds the position after an order."""
    stock_out: Literal["lost", "backorder"] | UnsetType | None = UNSET
    """What becomes of demand that finds no stock."""
    fulfilment: Literal["immediate", "reserve"] | UnsetType | None = UNSET
    """Whether an order takes stock at once, or reserves it until `order.fulfilled`."""
    lifecycle: Literal["active", "phase_out"] | UnsetType | None = UNSET
    abc_class: Literal["A", "B", "C"] | UnsetType | None = field(default=UNSET, name="class")
    mode: Literal["act", "approve"] | UnsetType | None = UNSET
    """Whether replenishments are requested outright, or proposed for approval."""
    policy: Name | UnsetType | None = UNSET
    forecaster: Name | UnsetType | None = UNSET
    reorder_point: Count | UnsetType | None = UNSET
    order_up_to: Count | UnsetType | None = UNSET
    low_stock: Count | UnsetType | None = UNSET
    """Threshold of the `low_stock` alert in place of the safety stock."""
    ask_above_units: Count | UnsetType | None = UNSET
    """A larger order is proposed for approval, whatever the mode. By default the limit of supplier or class holds."""
    ask_above_value: Money | UnsetType | None = UNSET
    """The same for what an order costs: quantity × `unit_cost`."""


class SupplierConfigured(Inbound):
    """A supplier's terms, defaults for its items; each event states them all anew."""

    supplier: Name
    lead_time_days: Days | None = None
    minimum_order: Count | None = None
    order_multiple: Quantity | None = None
    order_days: tuple[Weekday, ...] | None = None
    """Weekdays on which the supplier takes orders; every day when absent."""
    ask_above_units: Count | None = None
    """A larger order of one of its items is proposed for approval."""
    ask_above_value: Money | None = None
    """The same for what an order costs."""


class ClassConfigured(Inbound):
    """The limits of a class, defaults for items whose own terms and supplier have none; each event states them anew."""

    abc_class: Literal["A", "B", "C"] = field(name="class")
    ask_above_units: Count | None = None
    """A larger order of one of its items is proposed for approval."""
    ask_above_value: Money | None = None
    """The same for what an order costs."""


class CalendarConfigured(Inbound):
    """A location's closed days; each event states all of them anew. Demand of a closed day is absent, not zero."""

    location: Location
    closed_days: tuple[ClosedDay, ...]


class OfPromotion(Inbound):
    """An event about a promotion."""

    promotion_id: Name
    sku: Sku | None
    """Null for every sku."""
    location: Location | None
    """Null for every location."""


class PromotionScheduled(OfPromotion):
    """A promotion is planned; forecasts reckon with it in advance."""

    starts: Moment
    ends: Moment
    discount: Share | None = None
    expected_uplift: Factor | None = None
    """Demand under the promotion as a multiple of demand without it."""


class PromotionCancelled(OfPromotion):
    """A planned promotion will not happen."""


class PriceChanged(OfItem):
    """The item sells at another price from a moment on."""

    price: Money
    effective_at: Moment


# The table ----------------------------------------------------------------------------------------------------------


class EventKind(NamedTuple):
    """Where a type belongs: the topic it is published to, and the struct of its data."""

    topic: SourceTopic
    data: type[Inbound]


INBOUND: dict[str, EventKind] = {
    "order.placed": EventKind("orders", OrderPlaced),
    "order.rejected": EventKind("orders", OrderRejected),
    "order.cancelled": EventKind("orders", OrderCancelled),
    "demand.corrected": EventKind("orders", DemandCorrected),
    "order.fulfilled": EventKind("orders", OrderFulfilled),
    "return.received": EventKind("stock", ReturnReceived),
    "stock.received": EventKind("stock", StockReceived),
    "stock.adjusted": EventKind("stock", StockAdjusted),
    "stock.counted": EventKind("stock", StockCounted),
    "stock.transferred": EventKind("stock", StockTransferred),
    "replenishment.acknowledged": EventKind("stock", ReplenishmentAcknowledged),
    "replenishment.shipped": EventKind("stock", ReplenishmentShipped),
    "replenishment.cancelled": EventKind("stock", ReplenishmentCancelled),
    "replenishment.approved": EventKind("stock", ReplenishmentApproved),
    "replenishment.declined": EventKind("stock", ReplenishmentDeclined),
    "item.configured": EventKind("catalog", ItemConfigured),
    "supplier.configured": EventKind("catalog", SupplierConfigured),
    "class.configured": EventKind("catalog", ClassConfigured),
    "calendar.configured": EventKind("catalog", CalendarConfigured),
    "promotion.scheduled": EventKind("catalog", PromotionScheduled),
    "promotion.cancelled": EventKind("catalog", PromotionCancelled),
    "price.changed": EventKind("catalog", PriceChanged),
}
TYPE_OF: dict[type[Inbound], str] = {kind.data: name for name, kind in INBOUND.items()}
