"""How an item's state is stored: arrays of msgpack, whose fields stand here in the order in which they are written.

A field keeps its place for ever; a new one goes to the end and has a default, so that what an older version wrote is
read. The classes that movements change are plain ones (see position.py), so each has its stored form here.

>>> decode_item(encode_item(Item(known=True, net=12))).net
12
"""

import msgspec

from agents.inventory.position import Bucket, Episode, Item, ItemTotals, Order, Wait
from schemas.ledger import Milliseconds
from schemas.stored import decoder_of


class StoredBucket(msgspec.Struct, array_like=True, gc=False):
    """A `Bucket`."""

    demand: int = 0
    lost: int = 0
    received: int = 0
    late: int = 0
    ran_out: bool = False


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
    counted_minute: int = -1
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


_encode = msgspec.msgpack.Encoder().encode
_decode = decoder_of(StoredItem, "the state of an item")


def encode_item(item: Item) -> bytes:
    """Write an item's state."""
    return _encode(
        StoredItem(
            known=item.known,
            net=item.net,
            reserved=item.reserved,
            on_order=item.on_order,
            counted_minute=item.counted_minute,
            counted=item.counted,
            reserve=item.reserve,
            backorder=item.backorder,
            abc=item.abc,
            starts=item.starts,
            ends=item.ends,
            open=_stored_bucket(item.open),
            ahead={starts: _stored_bucket(bucket) for starts, bucket in item.ahead.items()},
            closed_periods=item.closed_periods,
            asked_at=item.asked_at,
            paid=item.paid,
            low_stock=item.low_stock,
            reorder_point=item.reorder_point,
            order_up_to=item.order_up_to,
            safety_stock=item.safety_stock,
            below=item.below,
            daily=item.daily,
            orders=item.orders,
            alerts=item.alerts,
            totals=_stored_totals(item.totals),
            waits=item.waits,
        )
    )


def decode_item(data: bytes | memoryview) -> Item:
    """Read an item's state; ValueError when it is not one."""
    stored = _decode(data)
    return Item(
        known=stored.known,
        net=stored.net,
        reserved=stored.reserved,
        on_order=stored.on_order,
        counted_minute=stored.counted_minute,
        counted=stored.counted,
        reserve=stored.reserve,
        backorder=stored.backorder,
        abc=stored.abc,
        starts=stored.starts,
        ends=stored.ends,
        open=_bucket(stored.open),
        ahead={starts: _bucket(bucket) for starts, bucket in stored.ahead.items()},
        closed_periods=stored.closed_periods,
        asked_at=stored.asked_at,
        paid=stored.paid,
        low_stock=stored.low_stock,
        reorder_point=stored.reorder_point,
        order_up_to=stored.order_up_to,
        safety_stock=stored.safety_stock,
        below=stored.below,
        daily=stored.daily,
        orders=stored.orders,
        alerts=stored.alerts,
        totals=_totals(stored.totals),
        waits=stored.waits,
    )


def _stored_bucket(bucket: Bucket) -> StoredBucket:
    return StoredBucket(bucket.demand, bucket.lost, bucket.received, bucket.late, bucket.ran_out)


def _bucket(stored: StoredBucket) -> Bucket:
    return Bucket(stored.demand, stored.lost, stored.received, stored.late, stored.ran_out)


def _stored_totals(totals: ItemTotals) -> StoredTotals:
    return StoredTotals(
        opening=totals.opening,
        received=totals.received,
        returned=totals.returned,
        transferred_in=totals.transferred_in,
        cancelled=totals.cancelled,
        sold=totals.sold,
        transferred_out=totals.transferred_out,
        adjusted=totals.adjusted,
        differences=totals.differences,
        ordered=totals.ordered,
        delivered=totals.delivered,
        withdrawn=totals.withdrawn,
        closed_short=totals.closed_short,
        over_received=totals.over_received,
    )


def _totals(stored: StoredTotals) -> ItemTotals:
    return ItemTotals(
        opening=stored.opening,
        received=stored.received,
        returned=stored.returned,
        transferred_in=stored.transferred_in,
        cancelled=stored.cancelled,
        sold=stored.sold,
        transferred_out=stored.transferred_out,
        adjusted=stored.adjusted,
        differences=stored.differences,
        ordered=stored.ordered,
        delivered=stored.delivered,
        withdrawn=stored.withdrawn,
        closed_short=stored.closed_short,
        over_received=stored.over_received,
    )
