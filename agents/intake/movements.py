"""Splits an event into movements: what it changes, item by item, in the order of its lines.

>>> from schemas.inbound import Line, ReturnReceived
>>> line = Line(line_id="1", sku="TEA", location="BER", quantity=2)
>>> movements_of(ReturnReceived(return_id="r", restock=True, lines=(line,)))
[('TEA@BER', Returned(quantity=2, restock=True))]
"""

from collections.abc import Callable, Sequence
from datetime import datetime

import xxhash
from msgspec import UNSET, UnsetType

from schemas import inbound
from schemas.ledger import (
    Acknowledged,
    Adjusted,
    Approved,
    Arrived,
    CalendarChange,
    Cancelled,
    ClassChange,
    Configured,
    Corrected,
    Counted,
    Declined,
    Fulfilled,
    ItemChange,
    Placed,
    Priced,
    PromotionDropped,
    PromotionPlanned,
    Received,
    Rejected,
    Returned,
    Sent,
    SharedChange,
    Shipped,
    SupplierChange,
    Terms,
    TransferUnderway,
    Withdrawn,
)
from schemas.quantities import amount, item, milliseconds

Hash = Callable[[str], int]
"""Turns a customer into a number that only the holder of the key can compute again."""


def movements_of(data: inbound.Inbound, hash_customer: Hash | None = None) -> Sequence[tuple[str, ItemChange]]:  # noqa: PLR0911 - one case a type
    """The changes that an event makes, as (item, change); none for an event that is not about single items."""
    match data:
        case inbound.OrderPlaced(order_id=order_id, lines=lines, customer=customer):
            order = xxhash.xxh3_64_intdigest(order_id.encode())
            who = hash_customer(customer) if hash_customer and customer else None
            return [
                (
                    f"{line.sku}@{line.location}",
                    Placed(
                        line.quantity, order, amount(line.unit_price) if line.unit_price else None, line.promotion, who
                    ),
                )
                for line in lines
            ]
        case inbound.OrderRejected(lines=lines, reason=reason):
            return [(_item(line), Rejected(line.quantity, reason == "out_of_stock")) for line in lines]
        case inbound.OrderCancelled(order_id=order_id, lines=lines, ordered_at=ordered_at):
            order = xxhash.xxh3_64_intdigest(order_id.encode())
            return [(_item(line), Cancelled(line.quantity, order, _moment(ordered_at))) for line in lines]
        case inbound.OrderFulfilled(lines=lines):
            return [(_item(line), Fulfilled(line.quantity)) for line in lines]
        case inbound.ReturnReceived(lines=lines, restock=restock):
            return [(_item(line), Returned(line.quantity, restock)) for line in lines]
        case inbound.StockTransferred(phase="shipped", source=source, destination=destination):
            return [
                (item(data.sku, source), Sent(data.transfer_id, data.quantity)),
                (item(data.sku, destination), TransferUnderway(data.transfer_id, data.quantity, _moment(data.eta))),
            ]
        case inbound.StockTransferred(destination=destination):
            return [(item(data.sku, destination), Arrived(data.transfer_id, data.quantity))]
        case inbound.PromotionScheduled() | inbound.PromotionCancelled():
            sku, location = data.sku, data.location
            return [] if sku is None or location is None else [(item(sku, location), _promotion(data))]
        case inbound.OfItem(sku=sku, location=location):
            return [(item(sku, location), _change(data))]
        case _:
            return []


def notice_of(data: inbound.Inbound) -> SharedChange | None:
    """The change of an event that is not about single items, such as a calendar; None for any other event."""
    match data:
        case inbound.PromotionScheduled() | inbound.PromotionCancelled():
            return _promotion(data) if data.sku is None or data.location is None else None
        case inbound.SupplierConfigured():
            return SupplierChange(
                data.supplier,
                data.lead_time_days,
                data.minimum_order,
                data.order_multiple,
                data.order_days or (),
                data.ask_above_units,
                _money(data.ask_above_value),
            )
        case inbound.ClassConfigured():
            return ClassChange(data.abc_class, data.ask_above_units, _money(data.ask_above_value))
        case inbound.CalendarConfigured():
            return CalendarChange(data.location, data.closed_days)
        case _:
            return None


def _change(data: inbound.OfItem) -> ItemChange:  # noqa: C901, PLR0911 - one case a type
    match data:
        case inbound.DemandCorrected():
            return Corrected(data.quantity, milliseconds(data.at))
        case inbound.StockReceived():
            return Received(data.accepted, data.rejected, data.replenishment_id, data.final, data.supplier)
        case inbound.StockAdjusted():
            return Adjusted(data.delta, data.reason)
        case inbound.StockCounted():
            return Counted(data.counted, milliseconds(data.as_of))
        case inbound.ReplenishmentAcknowledged():
            return Acknowledged(data.replenishment_id, data.status, data.confirmed, _moment(data.promised_at))
        case inbound.ReplenishmentShipped():
            return Shipped(data.replenishment_id, data.quantity, _moment(data.eta))
        case inbound.ReplenishmentCancelled():
            return Withdrawn(data.replenishment_id, data.remaining)
        case inbound.ReplenishmentApproved():
            return Approved(data.replenishment_id)
        case inbound.ReplenishmentDeclined():
            return Declined(data.replenishment_id)
        case inbound.PriceChanged():
            return Priced(amount(data.price), milliseconds(data.effective_at))
        case inbound.ItemConfigured():
            return Configured(terms_of(data))
        case _:
            raise TypeError(f"{type(data).__name__} is about an item and no change is known for it")


def _promotion(data: inbound.PromotionScheduled | inbound.PromotionCancelled) -> PromotionPlanned | PromotionDropped:
    if isinstance(data, inbound.PromotionCancelled):
        return PromotionDropped(data.promotion_id, data.sku, data.location)
    starts, ends = milliseconds(data.starts), milliseconds(data.ends)
    return PromotionPlanned(
        data.promotion_id, data.sku, data.location, starts, ends, data.discount, data.expected_uplift
    )


_MONEY = ("unit_cost", "price", "order_cost", "shortage_cost", "ask_above_value")


def terms_of(data: inbound.ItemConfigured) -> Terms:
    """What an event states of an item's terms, money as amounts."""
    stated = {name: getattr(data, name) for name in Terms.__struct_fields__}
    return Terms(**stated | {name: _amount(stated[name]) for name in _MONEY})


def _amount(value: str | UnsetType | None) -> float | UnsetType | None:
    return value if value is None or value is UNSET else amount(value)


def _money(value: str | None) -> float | None:
    return None if value is None else amount(value)


def _item(line: inbound.Line) -> str:
    return item(line.sku, line.location)


def _moment(value: datetime | None) -> int | None:
    return None if value is None else milliseconds(value)
