"""Works out every item's stock the slow way, from the whole list of its events.

No code of the product is used. Stock is a sum over a set of events; only suppliers' answers have an order, that of
their feed.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.events import TILL, StatedEvent, WrittenEvent, milliseconds

DAY = 86_400_000


@dataclass(frozen=True)
class TakenEvent:
    """An event where the broker put it."""

    event: WrittenEvent
    topic: str
    partition: int
    offset: int

    @property
    def origin(self) -> tuple[str, int, int]:
        return self.topic, self.partition, self.offset


@dataclass(frozen=True)
class RefusedEvent:
    """A movement that the state must refuse."""

    origin: tuple[str, int, int]
    ordinal: int
    reason: str


@dataclass
class FoldedOrder:
    """A replenishment, or a transfer, as an item waits for it."""

    status: str = "requested"
    outstanding: int = 0
    received: int = 0
    closed: bool = False

    def expect(self, outstanding: int) -> None:
        self.outstanding = outstanding
        self.closed = outstanding == 0


@dataclass
class FoldedItem:
    """What is known of an item after all its events."""

    moves: list[tuple[int, int]] = field(default_factory=list)
    """When, to the millisecond, and the change of physical stock."""
    counts: list[tuple[int, int, int]] = field(default_factory=list)
    """The moment counted, the time of the event, and what was counted."""
    reserved: int = 0
    known: bool = False
    backorder: bool = False
    reserve: bool = False
    orders: dict[str, FoldedOrder] = field(default_factory=dict)
    transfers: dict[str, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))
    """Shipped and received."""
    demand: int = 0
    by_day: Counter[int] = field(default_factory=Counter)
    """Demand of each day as it stands, of an item that the till sells: its events lie on one feed."""
    taken_out: int = 0
    """So much of its demand was corrected or cancelled."""
    heard_of: dict[tuple[str, str], str] = field(default_factory=dict)

    def stock(self) -> dict[str, Any]:
        """As `restock item --json` shows it."""
        counted_at, _, counted = max(self.counts, default=(-1, 0, 0))
        net = counted + sum(delta for at, delta in self.moves if at > counted_at)
        underway = sum(max(0, shipped - received) for shipped, received in self.transfers.values())
        parts = {
            "on_hand": max(0, net) if self.backorder else net,
            "allocated": max(0, self.reserved),
            "backorders": max(0, -net) if self.backorder else 0,
            "on_order": underway + sum(order.outstanding for order in self.orders.values()),
        }
        position = parts["on_hand"] - parts["allocated"] - parts["backorders"] + parts["on_order"]
        return parts | {"position": position, "known": self.known}


class NaiveFold:
    """Folds all accepted events, and lists the movements that the state must have refused."""

    def __init__(
        self, decided: Iterable[dict[str, Any]], uncertain: Mapping[tuple[str, int, int], str] | None = None
    ) -> None:
        """`uncertain` says why the state refused events that it might as well have taken."""
        self.items: dict[str, FoldedItem] = defaultdict(FoldedItem)
        self.touched: set[str] = set()
        self.refused: list[RefusedEvent] = []
        self.duplicates = 0
        self._uncertain = uncertain or {}
        self._ordered: dict[str, int] = {}
        """When the till's orders were placed."""
        self._notices: dict[tuple[str, str], str] = {}
        for decision in decided:
            name = f"{decision['sku']}@{decision['location']}"
            orders = self.items[name].orders
            if decision["replenishment_id"] not in orders:
                status = "proposed" if decision["proposed"] else "requested"
                # Units that no facts explain are on order only once they are requested.
                question = "beyond_facts" in decision.get("why", {}).get("asks", ())
                orders[decision["replenishment_id"]] = FoldedOrder(status, 0 if question else decision["quantity"])
            elif orders[decision["replenishment_id"]].outstanding == 0:
                orders[decision["replenishment_id"]].outstanding = decision["quantity"]

    def fold(self, taken: Sequence[TakenEvent]) -> None:
        """Go through all events, feed by feed, the configuration of items first."""
        feeds = sorted(taken, key=lambda each: (each.topic != "catalog", *each.origin))
        for each in feeds:
            said = each.event.said
            if said is not None and each.event.verdict == "ok":
                self._apply(each, said)

    def _apply(self, taken: TakenEvent, said: StatedEvent) -> None:
        moves = movements(said)
        if not moves and not self._is_new(self._notices, said):
            self._judge(taken, said, self._notices, [0])
        for name in dict.fromkeys(name for name, *_ in moves):
            mine = [(ordinal, move) for ordinal, move in enumerate(moves) if move[0] == name]
            heard_of = self.items[name].heard_of
            if not self._is_new(heard_of, said):
                self._judge(taken, said, heard_of, [ordinal for ordinal, _ in mine])
                continue
            reason = self._refusal(name, taken, said)
            if reason:
                self.refused += [RefusedEvent(taken.origin, ordinal, reason) for ordinal, _ in mine]
                continue
            heard_of[said.source, said.id] = said.body
            self.touched.add(name)
            for _, (_, kind, data) in mine:
                self._move(self.items[name], kind, data, said)

    def _is_new(self, heard_of: dict[tuple[str, str], str], said: StatedEvent) -> bool:
        known = (said.source, said.id) in heard_of
        if not known and heard_of is self._notices:
            heard_of[said.source, said.id] = said.body
        return not known

    def _judge(
        self, taken: TakenEvent, said: StatedEvent, heard_of: dict[tuple[str, str], str], ordinals: list[int]
    ) -> None:
        if heard_of[said.source, said.id] == said.body:
            self.duplicates += len(ordinals)
        else:
            self.refused += [RefusedEvent(taken.origin, ordinal, "conflicting_duplicate") for ordinal in ordinals]

    def _refusal(self, name: str, taken: TakenEvent, said: StatedEvent) -> str | None:
        if said.type.startswith("replenishment.") and said.data["replenishment_id"] not in self.items[name].orders:
            return "unknown_replenishment"
        if said.type == "demand.corrected" and not taken.event.uncertain:
            booked = self.items[name].by_day[milliseconds(said.data["at"]) // DAY]
            return "out_of_range" if said.data["quantity"] > booked else None
        return self._uncertain.get(taken.origin)

    def _move(self, item: FoldedItem, kind: str, data: dict[str, Any], said: StatedEvent) -> None:  # noqa: C901, PLR0912 - one rule
        quantity = data.get("quantity", 0)
        if said.source == TILL:
            self._book(item, kind, quantity, said)
        match kind:
            case "order.placed":
                item.demand += quantity
                if item.reserve:
                    item.reserved += quantity
                else:
                    item.moves.append((said.time_ms, -quantity))
            case "order.rejected":
                item.demand += quantity
            case "order.cancelled" if item.reserve:
                item.reserved -= quantity
            case "order.cancelled":
                item.moves.append((said.time_ms, quantity))
            case "order.fulfilled" if item.reserve:
                item.reserved -= quantity
                item.moves.append((said.time_ms, -quantity))
            case "return.received" if said.data["restock"]:
                item.moves.append((said.time_ms, quantity))
            case "stock.received":
                item.known = True
                item.moves.append((said.time_ms, data["accepted"]))
                self._receive(item.orders.get(data.get("replenishment_id") or ""), data)
            case "stock.adjusted":
                item.known = True
                item.moves.append((said.time_ms, data["delta"]))
            case "stock.counted":
                item.known = True
                item.counts.append((milliseconds(data["as_of"]), said.time_ms, data["counted"]))
            case "sent":
                item.moves.append((said.time_ms, -quantity))
            case "underway":
                item.transfers[data["transfer_id"]][0] += quantity
            case "arrived":
                item.known = True
                item.moves.append((said.time_ms, quantity))
                item.transfers[data["transfer_id"]][1] += quantity
            case "item.configured":
                item.backorder = data.get("stock_out", "backorder" if item.backorder else "") == "backorder"
                item.reserve = data.get("fulfilment", "reserve" if item.reserve else "") == "reserve"
            case _ if kind.startswith("replenishment."):
                self._answer(item.orders[data["replenishment_id"]], kind, data)

    def _book(self, item: FoldedItem, kind: str, quantity: int, said: StatedEvent) -> None:
        """Put demand into its day, or take it out, not below 0."""
        if kind == "order.placed":
            self._ordered[said.data["order_id"]] = said.time_ms
            item.by_day[said.time_ms // DAY] += quantity
            return
        stated = said.data["at"] if kind == "demand.corrected" else said.data.get("ordered_at")
        day = (milliseconds(stated) if stated else self._ordered[said.data["order_id"]]) // DAY
        taken = min(quantity, item.by_day[day])
        item.by_day[day] -= taken
        item.taken_out += taken

    def _receive(self, order: FoldedOrder | None, data: dict[str, Any]) -> None:
        if order is not None and not order.closed:
            order.received += data["accepted"] + data["rejected"]
            order.expect(0 if data["final"] else max(0, order.outstanding - data["accepted"] - data["rejected"]))

    def _answer(self, order: FoldedOrder, kind: str, data: dict[str, Any]) -> None:
        if order.closed:
            return
        match kind:
            case "replenishment.acknowledged":
                order.expect(0 if data["status"] == "rejected" else max(0, data["confirmed"] - order.received))
            case "replenishment.cancelled":
                order.expect(data["remaining"])
            case "replenishment.approved":
                order.status = "requested"
            case "replenishment.declined" if order.status == "proposed":
                order.expect(0)


def movements(said: StatedEvent) -> list[tuple[str, str, dict[str, Any]]]:
    """Which items an event is about, in the order of its lines; none when it is about no single item."""
    data = said.data
    if "lines" in data:
        return [(f"{line['sku']}@{line['location']}", said.type, line) for line in data["lines"]]
    if said.type == "stock.transferred":
        to = f"{data['sku']}@{data['to']}"
        if data["phase"] == "received":
            return [(to, "arrived", data)]
        return [(f"{data['sku']}@{data['from']}", "sent", data), (to, "underway", data)]
    if data.get("sku") and data.get("location"):
        return [(f"{data['sku']}@{data['location']}", said.type, data)]
    return []
