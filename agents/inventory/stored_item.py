"""How an item's state is stored: arrays of msgpack, whose fields stand here in the order in which they are written.

A field keeps its place for ever; a new one goes to the end and has a default, so that what an older version wrote is
read. The classes that movements change are plain ones (see position.py), so each has its stored form here. Both have
the same fields in the same order, and are made from each other by position: by name would take twice as long.

>>> decode_item(encode_item(Item(known=True, net=12))).net
12
"""

import msgspec

from agents.inventory.position import NEVER, Bucket, Episode, Item, ItemTotals, Order, OutputsOfDay, Wait
from schemas.ledger import Milliseconds
from schemas.stored import decoder_of


class StoredBucket(msgspec.Struct, array_like=True, gc=False):
    """A `Bucket`."""

    demand: int = 0
    lost: int = 0
    received: int = 0
    late: int = 0
    ran_out: bool = False
    late_lost: int = 0


class StoredTotals(msgspec.Struct, array_like=True, gc=False):
    """An item's `ItemTotals`."""

    opening: int = 0
    received: int = 0
    returned: int = 0
    transferred_in: int = 0
    cancelled: int = 0
    sold: int = 0
    transferred_out: int = 0
    adjusted: int = 0
    differences: int = 0
    ordered: int = 0
    delivered: int = 0
    withdrawn: int = 0
    closed_short: int = 0
    over_received: int = 0


class StoredItem(msgspec.Struct, array_like=True, gc=False):
    """An `Item`."""

    known: bool = False
    net: int = 0
    reserved: int = 0
    on_order: int = 0
    counted_at: Milliseconds = -1
    counted: tuple[Milliseconds, int] = (0, 0)
    reserve: bool = False
    backorder: bool = False
    abc: str = "C"
    starts: Milliseconds = 0
    ends: Milliseconds = 0
    open: StoredBucket = msgspec.field(default_factory=StoredBucket)
    ahead: dict[Milliseconds, StoredBucket] = {}
    closed_periods: int = 0
    asked_at: Milliseconds = 0
    paid: float | None = None
    low_stock: int | None = None
    reorder_point: int | None = None
    order_up_to: int | None = None
    safety_stock: int | None = None
    below: bool = False
    daily: float = 0.0
    orders: list[Order] = []
    alerts: list[Episode] = []
    totals: StoredTotals = msgspec.field(default_factory=StoredTotals)
    waits: list[Wait] = []
    held: int = 0
    refusals: int = 0
    refused_at: Milliseconds = 0
    today: OutputsOfDay = msgspec.field(default_factory=OutputsOfDay)
    known_since: Milliseconds = NEVER
    unasked_until: Milliseconds = 0


_encode = msgspec.msgpack.Encoder().encode
_decode = decoder_of(StoredItem, "the state of an item")


def encode_item(item: Item) -> bytes:
    """Write an item's state."""
    return _encode(
        StoredItem(
            item.known,
            item.net,
            item.reserved,
            item.on_order,
            item.counted_at,
            item.counted,
            item.reserve,
            item.backorder,
            item.abc,
            item.starts,
            item.ends,
            _stored_bucket(item.open),
            {starts: _stored_bucket(bucket) for starts, bucket in item.ahead.items()},
            item.closed_periods,
            item.asked_at,
            item.paid,
            item.low_stock,
            item.reorder_point,
            item.order_up_to,
            item.safety_stock,
            item.below,
            item.daily,
            item.orders,
            item.alerts,
            _stored_totals(item.totals),
            item.waits,
            item.held,
            item.refusals,
            item.refused_at,
            item.today,
            item.known_since,
            item.unasked_until,
        )
    )


def decode_item(data: bytes | memoryview) -> Item:
    """Read an item's state; ValueError when it is not one."""
    stored = _decode(data)
    return Item(
        stored.known,
        stored.net,
        stored.reserved,
        stored.on_order,
        stored.counted_at,
        stored.counted,
        stored.reserve,
        stored.backorder,
        stored.abc,
        stored.starts,
        stored.ends,
        _bucket(stored.open),
        {starts: _bucket(bucket) for starts, bucket in stored.ahead.items()},
        stored.closed_periods,
        stored.asked_at,
        stored.paid,
        stored.low_stock,
        stored.reorder_point,
        stored.order_up_to,
        stored.safety_stock,
        stored.below,
        stored.daily,
        stored.orders,
        stored.alerts,
        _totals(stored.totals),
        stored.waits,
        stored.held,
        stored.refusals,
        stored.refused_at,
        stored.today,
        stored.known_since,
        stored.unasked_until,
    )


def _stored_bucket(bucket: Bucket) -> StoredBucket:
    return StoredBucket(bucket.demand, bucket.lost, bucket.received, bucket.late, bucket.ran_out, bucket.late_lost)


def _bucket(stored: StoredBucket) -> Bucket:
    return Bucket(stored.demand, stored.lost, stored.received, stored.late, stored.ran_out, stored.late_lost)


def _stored_totals(totals: ItemTotals) -> StoredTotals:
    return StoredTotals(
        totals.opening,
        totals.received,
        totals.returned,
        totals.transferred_in,
        totals.cancelled,
        totals.sold,
        totals.transferred_out,
        totals.adjusted,
        totals.differences,
        totals.ordered,
        totals.delivered,
        totals.withdrawn,
        totals.closed_short,
        totals.over_received,
    )


def _totals(stored: StoredTotals) -> ItemTotals:
    return ItemTotals(
        stored.opening,
        stored.received,
        stored.returned,
        stored.transferred_in,
        stored.cancelled,
        stored.sold,
        stored.transferred_out,
        stored.adjusted,
        stored.differences,
        stored.ordered,
        stored.delivered,
        stored.withdrawn,
        stored.closed_short,
        stored.over_received,
    )
