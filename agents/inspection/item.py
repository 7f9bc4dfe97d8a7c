"""What people and programs see of an item: its stored state in the words and the shape of the contract.

>>> from agents.inventory.stored_item import encode_item
>>> tables = {"items": {"TEA-01@BER1": bytes(8) + encode_item(Item(known=True, net=12))}}
>>> seen = item_as_json(CheckpointedItem("TEA-01@BER1", 4, 17, FoldSettings(), tables))
>>> seen["stock"]["on_hand"], seen["levels"]["reorder_point"], seen["open_replenishments"]
(12, None, [])
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from agents.core.learning_state import ReviewRecord, decode_learning_state, encode_learning_state
from agents.core.shard_state import ShardState
from agents.forecasting.base import LEVELS, DemandForecast
from agents.inspection.term_origins import terms_as_json
from agents.inventory.alerts import warning_lines
from agents.inventory.card import Card
from agents.inventory.position import Item, Order, allocated, available, backorders, on_hand, position
from agents.inventory.replenishments import due_at
from agents.inventory.shelf import Shelf
from agents.inventory.timeline import Timeline
from agents.policies import registry as policies
from schemas.journal import Decided
from schemas.ledger import FoldSettings, Milliseconds
from schemas.quantities import DAY_MS, instant

SHARED = ("about", "clock")
"""Of the table `shared`: which settings hold, and what time it is."""


FAR_DAYS = 3650
"""A moment so many days ahead is nobody's concern."""


class CheckpointedItem(NamedTuple):
    """One item as a checkpoint holds it, all of one moment."""

    item: str
    partition: int
    next: int
    """Everything before this ledger offset is in it."""
    settings: FoldSettings
    tables: Mapping[str, Mapping[str, bytes]]


def fields_of(item: str) -> dict[str, Sequence[str]]:
    """The fields of a checkpoint that `item_as_json` needs."""
    return {"items": (item,), "pages": (f"{item}\x00t",), "minds": (item,), "shared": SHARED}


def fields_of_others(stored: CheckpointedItem) -> tuple[str, ...]:
    """The fields of the table `shared` with what supplier and class of the item state."""
    card = _card(stored)
    if card is None:
        return ()
    supplier = card.said.terms.supplier
    return (*((f"supplier {supplier}",) if isinstance(supplier, str) else ()), f"class {card.item.abc}")


def item_as_json(stored: CheckpointedItem) -> dict[str, Any] | None:
    """An item in the shape of `restock item --json`; None when there is no such item."""
    card = _card(stored)
    if card is None:
        return None
    learning_state = decode_learning_state(card.stored_learning_state)
    item, shared = card.item, ShardState(stored.partition)
    shared.load(stored.tables.get("shared", {}))
    return {
        "item": stored.item,
        "as_of": {"time": _time(stored), "partition": stored.partition, "offset": stored.next},
        "stock": stock(item),
        "open_replenishments": [order_as_json(order) for order in open_orders(item)],
        "transfers": [
            order_as_json(order) for order in item.orders if order.status == "underway" and order.outstanding
        ],
        "forecast": _forecast(learning_state.record.forecast, stored.settings),
        "lead_times": lead_times(learning_state.record),
        "levels": levels(item),
        "policy": _policy(card),
        "alerts": [
            {"kind": episode.kind, "episode": episode.id, "since": instant(episode.since)} for episode in item.alerts
        ],
        "decisions": [decision_as_json(decided) for decided in reversed(learning_state.record.decisions)],
        "class": item.abc,
        "hold": _hold(item),
        "projected_stock_out": _stock_out(item, shared.frame.watermark),
        **terms_as_json(card, shared.frame),
    }


def stock(item: Item) -> dict[str, Any]:
    """An item's position, broken down."""
    return {
        "on_hand": on_hand(item),
        "allocated": allocated(item),
        "backorders": backorders(item),
        "available": available(item),
        "on_order": item.on_order,
        "position": position(item),
        "known": item.known,
    }


def _card(stored: CheckpointedItem) -> Card | None:
    shelf = Shelf(encode_learning_state)
    shelf.load(stored.tables)
    return shelf.find(stored.item)


def _hold(item: Item) -> dict[str, Any] | None:
    """Why the item is not ordered though it may be short: orders of it came to nothing."""
    if not item.held:
        return None
    return {"reviews": item.held, "refusals": item.refusals, "refused_at": instant(item.refused_at)}


def _stock_out(item: Item, watermark: Milliseconds | None) -> str | None:
    """When what is available is sold, at the demand that is expected; null where that is far off or not known."""
    days = available(item) / item.daily if item.daily > 0.0 else FAR_DAYS
    now = max(watermark or 0, item.starts)
    return instant(now + int(max(days, 0.0) * DAY_MS)) if item.known and days < FAR_DAYS else None


def levels(item: Item) -> dict[str, int | None]:
    """The levels that hold until the next review; null before the first."""
    lower, upper = warning_lines(item)
    return {
        "reorder_point": item.reorder_point,
        "order_up_to": item.order_up_to,
        "safety_stock": item.safety_stock,
        "low_stock": lower,
        "overstock": upper,
    }


def open_orders(item: Item) -> list[Order]:
    """Replenishments that may still arrive, those that fell silent included; transfers are apart."""
    return [order for order in item.orders if order.status != "underway"]


def order_as_json(order: Order) -> dict[str, Any]:
    """One open order."""
    return {
        "replenishment_id": order.id,
        "quantity": order.quantity,
        "received": order.received,
        "status": order.status,
        "due": instant(due_at(order)),
        "supplier": order.supplier,
        "decided_at": instant(order.decided_at),
    }


def decision_as_json(decided: Decided) -> dict[str, Any]:
    """One decision, with all its reasons."""
    return {
        "replenishment_id": decided.replenishment,
        "quantity": decided.quantity,
        "proposed": decided.proposed,
        "decided_at": instant(decided.decided_at),
        "need_by": instant(decided.need_by),
        "supplier": decided.supplier,
        "why": msgspec.to_builtins(decided.why),
    }


def lead_times(record: ReviewRecord) -> list[dict[str, Any]]:
    """How long the item's suppliers took lately, the last heard of first.

    >>> from agents.forecasting.lead_time import Counts
    >>> lead_times(ReviewRecord(waits={"acme": Counts({2: 3.0, 4: 1.0}, lost=1.0)}, period_ms=DAY_MS))
    [{'supplier': 'acme', 'mean_days': 2.5, 'longest_days': 4.0, 'lost_share': 0.2}]
    """
    days = record.period_ms / DAY_MS
    seen = []
    for supplier, counts in reversed(record.waits.items()):
        came = sum(counts.times.values())
        waited = sum(time * count for time, count in counts.times.items())
        seen.append(
            {
                "supplier": supplier or None,
                "mean_days": waited / came * days if came else None,
                "longest_days": max(counts.times) * days if came else None,
                "lost_share": counts.lost / counts.total if counts.total else 0.0,
            }
        )
    return seen


def _time(stored: CheckpointedItem) -> str | None:
    """When the broker appended the newest record that is in it."""
    timeline = Timeline()
    timeline.load(stored.tables.get("shared", {}))
    appended = timeline.at(0)
    return instant(appended) if appended else None


def _forecast(forecast: DemandForecast | None, settings: FoldSettings) -> dict[str, Any] | None:
    if forecast is None:
        return None
    return {
        "horizon_days": forecast.horizon * settings.period_ms / DAY_MS,
        "mean": forecast.mean,
        "quantiles": {f"{level:g}": value for level, value in zip(LEVELS, forecast.quantiles, strict=True)},
    }


def _policy(card: Card) -> str:
    """Who acts: as configured, where there is such a policy."""
    configured = card.said.terms.policy
    return configured if isinstance(configured, str) and configured in policies.POLICIES else policies.DEFAULT
