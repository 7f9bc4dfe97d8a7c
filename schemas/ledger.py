"""The ledger's records: what happened, the truth that every state is folded from.

A ledger record is a movement (about one item), a notice (about no single item, written to every partition),
a tick (the progress of the feeds) or one of the two records that state the settings. Records are msgpack
arrays, because tens of thousands a second pass through; a new field goes to the end and has a default.

>>> record = Movement("TEA-01@BER1", "orders-id/4", 17, 0, None, "shop", "ord-1", 7, 9, 1_772_446, Placed(3))
>>> decode_record(encode_record(record)) == record
True
"""

from typing import Literal, TypeAlias, dataclass_transform

import msgspec

from schemas.quantities import DAY_MS

Milliseconds: TypeAlias = int
"""Event or append time: milliseconds since 1970 in UTC."""


@dataclass_transform(frozen_default=True)
class Change(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a movement does to its item; the subclasses below are the closed list."""


# Demand -----------------------------------------------------------------------------------------------------------


class Placed(Change, tag="p"):
    """An accepted order line: demand, and stock taken or reserved."""

    quantity: int
    order: int = 0
    """64-bit identity of the order, so that a cancellation finds the period whose demand it corrects."""
    price: float | None = None
    promotion: str | None = None
    customer: int | None = None
    """Keyed hash of the customer, where a key is set; the customer itself is in no ledger."""


class Rejected(Change, tag="r"):
    """Demand the shop could not serve."""

    quantity: int
    out_of_stock: bool = True


class Cancelled(Change, tag="c"):
    """An order line taken back."""

    quantity: int
    order: int = 0
    ordered_at: Milliseconds | None = None
    """When it was placed, where that was said: its demand is taken out of that period."""


class Corrected(Change, tag="j"):
    """Demand that nobody had: it was booked at a past moment by mistake."""

    quantity: int
    at: Milliseconds


class Fulfilled(Change, tag="f"):
    """Reserved stock left the house."""

    quantity: int


class Returned(Change, tag="b"):
    """Goods came back from a customer."""

    quantity: int
    restock: bool


# Stock ------------------------------------------------------------------------------------------------------------


class Received(Change, tag="g"):
    """Goods arrived, for a replenishment or for none."""

    accepted: int
    rejected: int = 0
    replenishment: str | None = None
    final: bool = False
    supplier: str | None = None


class Adjusted(Change, tag="a"):
    """A signed correction."""

    delta: int
    reason: str = ""


class Counted(Change, tag="n"):
    """The stock as somebody counted it at a past moment."""

    counted: int
    as_of: Milliseconds


class Sent(Change, tag="s"):
    """A transfer left this item's location."""

    transfer: str
    quantity: int


class TransferUnderway(Change, tag="u"):
    """A transfer is on its way to this item's location: it counts as on order."""

    transfer: str
    quantity: int
    eta: Milliseconds | None = None


class Arrived(Change, tag="v"):
    """A transfer reached this item's location."""

    transfer: str
    quantity: int


# Replenishments ---------------------------------------------------------------------------------------------------


class Acknowledged(Change, tag="k"):
    """The supplier's answer: on order becomes what was confirmed."""

    replenishment: str
    status: Literal["accepted", "partial", "rejected"]
    confirmed: int
    promised_at: Milliseconds | None = None


class Shipped(Change, tag="h"):
    """The supplier shipped: only the expected arrival changes."""

    replenishment: str
    quantity: int
    eta: Milliseconds | None = None


class Withdrawn(Change, tag="w"):
    """A replenishment was cancelled down to what remains."""

    replenishment: str
    remaining: int


class Approved(Change, tag="y"):
    """A proposal becomes a request."""

    replenishment: str


class Declined(Change, tag="x"):
    """A proposal is dropped."""

    replenishment: str


# Catalogue --------------------------------------------------------------------------------------------------------


class Terms(msgspec.Struct, frozen=True, omit_defaults=True):
    """A change of an item's terms: UNSET leaves a term as it is, None puts it back to its default."""

    unit_cost: float | None | msgspec.UnsetType = msgspec.UNSET
    price: float | None | msgspec.UnsetType = msgspec.UNSET
    holding_rate: float | None | msgspec.UnsetType = msgspec.UNSET
    order_cost: float | None | msgspec.UnsetType = msgspec.UNSET
    shortage_cost: float | None | msgspec.UnsetType = msgspec.UNSET
    service_level: float | None | msgspec.UnsetType = msgspec.UNSET
    lead_time_days: float | None | msgspec.UnsetType = msgspec.UNSET
    review_period_days: float | None | msgspec.UnsetType = msgspec.UNSET
    supplier: str | None | msgspec.UnsetType = msgspec.UNSET
    minimum_order: int | None | msgspec.UnsetType = msgspec.UNSET
    order_multiple: int | None | msgspec.UnsetType = msgspec.UNSET
    capacity: int | None | msgspec.UnsetType = msgspec.UNSET
    stock_out: Literal["lost", "backorder"] | None | msgspec.UnsetType = msgspec.UNSET
    fulfilment: Literal["immediate", "reserve"] | None | msgspec.UnsetType = msgspec.UNSET
    lifecycle: Literal["active", "phase_out"] | None | msgspec.UnsetType = msgspec.UNSET
    abc_class: Literal["A", "B", "C"] | None | msgspec.UnsetType = msgspec.field(default=msgspec.UNSET, name="class")
    mode: Literal["act", "approve"] | None | msgspec.UnsetType = msgspec.UNSET
    policy: str | None | msgspec.UnsetType = msgspec.UNSET
    forecaster: str | None | msgspec.UnsetType = msgspec.UNSET
    reorder_point: int | None | msgspec.UnsetType = msgspec.UNSET
    order_up_to: int | None | msgspec.UnsetType = msgspec.UNSET
    low_stock: int | None | msgspec.UnsetType = msgspec.UNSET
    ask_above_units: int | None | msgspec.UnsetType = msgspec.UNSET
    ask_above_value: float | None | msgspec.UnsetType = msgspec.UNSET


class Configured(Change, tag="t"):
    """The item's terms change."""

    terms: Terms


class Priced(Change, tag="q"):
    """The item sells at another price from a moment on."""

    price: float
    effective_at: Milliseconds


class PromotionPlanned(Change, tag="o"):
    """A promotion is known in advance; sku or location None means every one of them."""

    promotion: str
    sku: str | None
    location: str | None
    starts: Milliseconds
    ends: Milliseconds
    discount: float | None = None
    expected_uplift: float | None = None


class PromotionDropped(Change, tag="d"):
    """A planned promotion will not happen."""

    promotion: str
    sku: str | None
    location: str | None


class SupplierChange(Change, tag="l"):
    """Defaults for all items of a supplier."""

    supplier: str
    lead_time_days: float | None = None
    minimum_order: int | None = None
    order_multiple: int | None = None
    order_days: tuple[str, ...] = ()
    ask_above_units: int | None = None
    ask_above_value: float | None = None


class ClassChange(Change, tag="i"):
    """Defaults for all items of a class."""

    abc: str
    ask_above_units: int | None = None
    ask_above_value: float | None = None


class CalendarChange(Change, tag="e"):
    """The days on which a location is closed: weekdays (`sun`) and dates (`2026-12-25`)."""

    location: str
    closed_days: tuple[str, ...]


ItemChange: TypeAlias = (
    Placed
    | Rejected
    | Cancelled
    | Corrected
    | Fulfilled
    | Returned
    | Received
    | Adjusted
    | Counted
    | Sent
    | TransferUnderway
    | Arrived
    | Acknowledged
    | Shipped
    | Withdrawn
    | Approved
    | Declined
    | Configured
    | Priced
    | PromotionPlanned
    | PromotionDropped
)
SharedChange: TypeAlias = PromotionPlanned | PromotionDropped | SupplierChange | CalendarChange | ClassChange


# Records ----------------------------------------------------------------------------------------------------------


class Movement(msgspec.Struct, frozen=True, array_like=True, gc=False, tag="m"):
    """One change of one item, with where it came from.

    `feed`, `offset` and `ordinal` are the origin: the source partition (by topic id), the place in it, and the number
    of this movement among those of its event, from 0. `prev` is the (offset, ordinal) that the same writer last wrote
    from that feed to this ledger partition, None for the first of a run.
    """

    item: str
    feed: str
    offset: int
    ordinal: int
    prev: tuple[int, int] | None
    source: str
    id: str
    event: int
    """64-bit identity of (source, id)."""
    body: int
    """64-bit fingerprint of the event's typed data."""
    time: Milliseconds
    change: ItemChange
    correlation: str = ""
    trace: str = ""
    appended: Milliseconds = 0
    """When the broker received the event: latency is measured from here."""


class Notice(msgspec.Struct, frozen=True, array_like=True, gc=False, tag="a"):
    """A change that concerns no single item, written to every ledger partition; it has an origin as a movement has."""

    feed: str
    offset: int
    ordinal: int
    prev: tuple[int, int] | None
    source: str
    id: str
    event: int
    body: int
    time: Milliseconds
    change: SharedChange
    correlation: str = ""
    trace: str = ""


class Progress(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """How far one feed has been read when a tick was written."""

    feed: str
    position: int
    """The next offset to read."""
    read_up_to: Milliseconds | None
    """The greatest event time read from this feed; None before the first event."""
    drained: bool
    """Whether everything the feed held had been read."""
    prev: tuple[int, int] | None
    """The origin last written to this ledger partition; the progress counts only where that record has arrived."""


class FoldSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings that change the fold: in the ledger, so that every replay sees the same.

    >>> FoldSettings().period_ms
    86400000
    """

    period_ms: int = DAY_MS
    day_starts_ms: int = 0
    """Where a day begins, in milliseconds after midnight UTC."""
    spread_ms: int = 0
    lateness_ms: int = 300_000
    feed_idle_ms: int = 900_000
    unknown_items: Literal["accept", "ask", "quarantine"] = "accept"
    decide_from: Milliseconds | None = None
    max_items: int = 1_000_000
    currency: str = "EUR"
    duplicate_window_ms: int = 7 * DAY_MS
    duplicate_window_ids: int = 4096


class Ticked(msgspec.Struct, frozen=True, array_like=True, gc=False, tag="t"):
    """The progress of all feeds of one intake process. `now` is None when time comes only from events."""

    writer: str
    now: Milliseconds | None
    progress: tuple[Progress, ...]
    feeds: tuple[str, ...]
    """Every feed there is, also those of other processes: the watermark waits for all of them."""
    settings: FoldSettings


class LedgerCreated(msgspec.Struct, frozen=True, array_like=True, tag="c"):
    """The first record of every partition: whose ledger this is."""

    ledger: str
    """Short random name, part of every replenishment's id."""
    app: str
    partition: int
    partitions: int
    settings: FoldSettings


class SettingsChanged(msgspec.Struct, frozen=True, array_like=True, tag="s"):
    """From here on the fold follows other settings."""

    settings: FoldSettings


Record: TypeAlias = Movement | Notice | Ticked | LedgerCreated | SettingsChanged

encode_record = msgspec.msgpack.Encoder().encode
decode_record = msgspec.msgpack.Decoder(Record).decode
