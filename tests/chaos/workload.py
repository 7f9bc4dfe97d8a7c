"""A seeded shop with warehouses and planners: every event type, honest and otherwise, in slices of simulated time.

The same seed gives the same events. Answers of suppliers and buyers depend on decisions, and come from `supplier.py`.
"""

import random
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from tests.chaos.events import TILL, StatedEvent, WrittenEvent, moment, written
from tests.chaos.malformed import malformed

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
CYRILLIC = {ord("T"): 0x422, ord("E"): 0x415, ord("A"): 0x410}
"""Letters that look like others."""
SKUS = (
    "S-01",
    "S-02",
    "S-03",
    "S-04",
    "S-05",
    "S-06",
    "S-07",
    "Tee ä",
    "S*[0]?",
    "TEA-01",
    "TEA-01".translate(CYRILLIC),
)
HOT = 0.25
"""The share of all events that is about one item."""
LOCATIONS = ("BER1", "MUC1")
NEW = ("New-1@BER1", "New-2@MUC1")
"""Items that nobody configured."""
SLIPS = ("Slip-1@BER1", "Slip-2@MUC1")
"""Items that only the till sells, so that the demand of each of their days is known to the unit."""
NOBODYS = "Unheard@BER1"
"""An item of which nothing is ever accepted."""


@dataclass(frozen=True)
class ItemTerms:
    """What an item is configured with, for the whole of the run."""

    reserve: bool
    backorder: bool
    approve: bool
    minimum: int
    multiple: int
    capacity: int | None
    lead_time_days: int
    never_counted: bool


class Workload:
    """Events to publish, slice by slice."""

    def __init__(self, seed: int, start_ms: int, *, trouble: float = 1.0) -> None:
        self.seed = seed
        self.now = start_ms
        self.hot = HOT
        self.chance = random.Random(seed)
        self.items = [f"{sku}@{location}" for sku in SKUS for location in LOCATIONS]
        self.terms = {item: self._terms() for item in self.items}
        self.comes_to_an_end = False
        """Whether every transfer arrives in the end."""
        self._trouble = trouble
        self._number = 0
        self._orders: deque[StatedEvent] = deque(maxlen=200)
        self._rung_up: deque[StatedEvent] = deque(maxlen=60)
        """Orders of the till: few, so that a day is corrected more than once."""
        self._recent: deque[StatedEvent] = deque(maxlen=400)
        self._counted: set[tuple[str, int]] = set()

    # Slices -------------------------------------------------------------------------------------------------------

    def opening(self) -> list[WrittenEvent]:
        """The configuration of all items, which must be known before anything else."""
        events = [self._configured(item, terms) for item, terms in self.terms.items()]
        supplier = {"supplier": "acme", "lead_time_days": 9, "order_days": None}
        calendar = {"location": "MUC1", "closed_days": ["sun", "2026-12-25"]}
        events.append(self._say("planner.example", "supplier.configured", supplier, keep=False))
        events.append(self._say("planner.example", "calendar.configured", calendar, keep=False))
        return [written(said) for said in events]

    def counts(self) -> list[WrittenEvent]:
        """The first counts, of most items."""
        said = [
            self._count(item, self.chance.randrange(20, 200), self.now)
            for item, terms in self.terms.items()
            if not terms.never_counted
        ]
        return [written(each) for each in said]

    def slice(self, events: int, length_ms: int) -> list[WrittenEvent]:
        """So many events in a span of time."""
        made: list[WrittenEvent] = []
        for _ in range(events):
            self.now += max(1, length_ms // events)
            made += self._something()
        return made

    def closing(self, partitions: int) -> list[WrittenEvent]:
        """One more order in every partition, days later, so that all periods before it close.

        Before them the till corrects all that it can think of: what stands of each day shows in what is refused.
        """
        corrections = [written(self._undone(order)) for order in self._rung_up]
        self.now += 2 * DAY
        data = {"lines": [{"line_id": "1", "sku": "Last", "location": "BER1", "quantity": 1}]}
        last = [
            replace(
                written(self._say("shop.example", "order.placed", data | {"order_id": f"last-{place}"})), place=place
            )
            for place in range(partitions)
        ]
        return corrections + last

    def _something(self) -> Iterator[WrittenEvent]:
        dice = self.chance.random() / max(self._trouble, 1e-9)
        if dice < 0.03:
            self._number += 1
            yield malformed(self.chance, self._number, self.now)
        elif dice < 0.06 and self._recent:
            yield written(self._again(self.chance.choice(self._recent)), spelling=self.chance.randrange(3))
        elif dice < 0.075 and self._recent:
            yield from self._conflict(self.chance.choice(self._recent))
        elif dice < 0.08:
            yield WrittenEvent("orders", self.chance.randrange(99), None, "tombstone")
        elif dice < 0.09:
            yield written(self._stranger())
        elif dice < 0.093:
            yield self._old_count()
        elif dice < 0.113:
            yield self._corrected()
        elif dice < 0.143:
            yield written(self._till(), spelling=self.chance.randrange(3))
        else:
            weights, makers = zip(*self._kinds(), strict=True)
            for said in self.chance.choices(makers, weights)[0]():
                yield written(said, spelling=self.chance.choice((0, 0, 0, 1, 2)))

    def _kinds(self) -> list[tuple[int, Callable[[], Iterator[StatedEvent]]]]:
        return [
            (60, self._placed), (4, self._rejected), (6, self._cancelled), (14, self._fulfilled), (5, self._returned),
            (4, self._received), (4, self._adjusted), (3, self._counted_again), (5, self._transferred),
            (2, self._planned),
        ]  # fmt: skip

    # Orders -------------------------------------------------------------------------------------------------------

    def _placed(self) -> Iterator[StatedEvent]:
        number = self._next()
        lines = [self._line(n, self._item(), self.chance.choice((1, 1, 2, 3, 8))) for n in range(self._lines())]
        if self.chance.random() < 0.05:
            lines.append(lines[0] | {"line_id": "again"})
        for line in lines:
            if self.chance.random() < 0.3:
                line["unit_price"] = "4.90 EUR"
        data = {"order_id": f"ord-{number}", "lines": lines, "channel": "web", "customer": f"c-{number % 7}"}
        said = self._say("shop.example", "order.placed", data)
        self._orders.append(said)
        yield said

    def _rejected(self) -> Iterator[StatedEvent]:
        reason = self.chance.choice(("out_of_stock", "fraud"))
        data = {"order_id": f"rej-{self._next()}", "reason": reason, "lines": [self._line(0, self._item(), 2)]}
        yield self._say("shop.example", "order.rejected", data)

    def _cancelled(self) -> Iterator[StatedEvent]:
        if order := self._take_order():
            data = {"order_id": order.data["order_id"], "lines": _bare(order)[:1], "reason": "customer"}
            if self.chance.random() < 0.5:
                data["ordered_at"] = moment(order.time_ms)
            yield self._say("shop.example", "order.cancelled", data)

    def _fulfilled(self) -> Iterator[StatedEvent]:
        if order := self._take_order():
            data = {"order_id": order.data["order_id"], "lines": _bare(order), "shipment_id": f"shp-{self._next()}"}
            yield self._say("wms.example", "order.fulfilled", data)

    def _returned(self) -> Iterator[StatedEvent]:
        data = {
            "return_id": f"ret-{self._next()}",
            "restock": self.chance.random() < 0.7,
            "lines": [self._line(0, self._item(), 1)],
        }
        yield self._say("wms.example", "return.received", data)

    # Corrections --------------------------------------------------------------------------------------------------

    def _corrected(self) -> WrittenEvent:
        """Demand of any item is taken out; whether there was as much, only the ledger shows."""
        item, quantity, at = self._item(), self.chance.choice((1, 2, 8)), self.now - self.chance.randrange(40 * DAY)
        if self._orders and self.chance.random() < 0.7:
            order = self.chance.choice(self._orders)
            line = order.data["lines"][0]
            item, quantity, at = f"{line['sku']}@{line['location']}", line["quantity"], order.time_ms
        if self.chance.random() < 0.1:
            item = NOBODYS
        said = self._correction("shop.example", item, quantity, at, keep=False)
        return replace(written(said), uncertain=item != NOBODYS)

    def _till(self) -> StatedEvent:
        """The till sells, also what it reports months late, and takes back what it mistyped, to the last unit."""
        dice = self.chance.random()
        if dice < 0.5 or not self._rung_up:
            quantity = self.chance.choice((1, 2, 5, 1000))
            data = {"order_id": f"till-{self._next()}", "lines": [self._line(0, self.chance.choice(SLIPS), quantity)]}
            said = self._say(TILL, "order.placed", data)
            if self.chance.random() < 0.3:
                said = replace(said, time_ms=self.now - self.chance.randrange(100 * DAY))
                self._recent[-1] = said
            self._rung_up.append(said)
            return said
        order = self.chance.choice((self._rung_up[-1], self.chance.choice(self._rung_up)))
        line = _bare(order)[0]
        if dice < 0.65:
            self._rung_up.remove(order)
            data = {"order_id": order.data["order_id"], "lines": [line], "reason": "mistyped"}
            if order.time_ms < self.now - 2 * DAY or self.chance.random() < 0.5:  # else its period is found by its id
                data["ordered_at"] = moment(order.time_ms)
            return self._say(TILL, "order.cancelled", data)
        item, at = f"{line['sku']}@{line['location']}", order.time_ms + self.chance.choice((0, 0, 0, 0, DAY, -DAY))
        return self._correction(TILL, item, max(1, line["quantity"] + self.chance.choice((-1, 0, 0, 1))), at)

    def _undone(self, order: StatedEvent) -> StatedEvent:
        line = _bare(order)[0]
        return self._correction(TILL, f"{line['sku']}@{line['location']}", line["quantity"], order.time_ms)

    def _correction(self, source: str, item: str, quantity: int, at: int, *, keep: bool = True) -> StatedEvent:
        data = {"correction_id": f"cor-{self._next()}", "at": moment(at), "quantity": quantity, "reason": "mistyped"}
        return self._say(source, "demand.corrected", _place(item) | data, keep=keep)

    # Stock --------------------------------------------------------------------------------------------------------

    def _received(self) -> Iterator[StatedEvent]:
        replenishment = self.chance.choice((None, None, "rep-nobody-1"))
        data = {
            "receipt_id": f"rec-{self._next()}",
            "accepted": self.chance.randrange(40),
            "rejected": 2,
            "final": True,
        }
        yield self._say("wms.example", "stock.received", self._of(data) | {"replenishment_id": replenishment})

    def _adjusted(self) -> Iterator[StatedEvent]:
        data = {
            "adjustment_id": f"adj-{self._next()}",
            "delta": self.chance.choice((-7, -2, -1, 1, 5)),
            "reason": "damaged",
        }
        yield self._say("wms.example", "stock.adjusted", self._of(data))

    def _counted_again(self) -> Iterator[StatedEvent]:
        as_of = self.now - self.chance.randrange(12 * HOUR)
        item = self._item()
        if (item, as_of) not in self._counted:
            yield self._count(item, self.chance.randrange(120), as_of)

    def _count(self, item: str, counted: int, as_of: int) -> StatedEvent:
        self._counted.add((item, as_of))
        data = {"count_id": f"cnt-{self._next()}", "counted": counted, "as_of": moment(as_of)}
        return self._say("wms.example", "stock.counted", _place(item) | data, keep=False)

    def _old_count(self) -> WrittenEvent:
        """A count of three days ago: only the ledger shows whether the watermark makes it too old."""
        item, as_of = self._item(), self.now - self.chance.randrange(44 * HOUR, 80 * HOUR)
        return replace(written(self._count(item, 50, as_of)), uncertain=True)

    def _transferred(self) -> Iterator[StatedEvent]:
        sku, number = self.chance.choice(SKUS), self._next()
        source, destination = self.chance.choice((LOCATIONS, LOCATIONS[::-1]))
        move = {"transfer_id": f"trf-{number}", "sku": sku, "from": source, "to": destination}
        quantity = self.chance.randrange(2, 12)
        phases = [("shipped", quantity), ("received", quantity // 2), ("received", quantity - quantity // 2)]
        if self.chance.random() < 0.2:
            phases.reverse()
        for phase, units in phases[: 3 if self.comes_to_an_end else self.chance.choice((1, 2, 3, 3))]:
            yield self._say("wms.example", "stock.transferred", move | {"quantity": units, "phase": phase})

    def _stranger(self) -> StatedEvent:
        """An answer to a replenishment that nobody requested."""
        about = _place(self._item()) | {"replenishment_id": f"rep-nobody-{self._next()}"}
        name, data = self.chance.choice((
            ("replenishment.acknowledged", {"status": "accepted", "confirmed": 5}),
            ("replenishment.shipped", {"quantity": 5}),
            ("replenishment.cancelled", {"remaining": 0}),
            ("replenishment.approved", {}),
            ("replenishment.declined", {}),
        ))  # fmt: skip
        return self._say("supplier.example", name, about | data)

    # Planning -----------------------------------------------------------------------------------------------------

    def _planned(self) -> Iterator[StatedEvent]:
        item, number = self.chance.choice(self.items), self._next()
        starts, ends = moment(self.now + DAY), moment(self.now + 3 * DAY)
        sku, location = _place(item).values()
        promotion = {"promotion_id": f"prm-{number}", "sku": sku, "location": self.chance.choice((None, location))}
        name, data = self.chance.choice((
            ("price.changed", _place(item) | {"price": "4.50 EUR", "effective_at": starts}),
            ("item.configured", _place(item) | {"unit_cost": "2.20 EUR", "service_level": None, "class": "A"}),
            ("promotion.scheduled", promotion | {"starts": starts, "ends": ends, "discount": 0.2}),
            ("promotion.cancelled", promotion),
            ("supplier.configured", {"supplier": "globex", "lead_time_days": 8}),
            ("calendar.configured", {"location": "MUC1", "closed_days": ["sun"]}),
        ))  # fmt: skip
        yield self._say("planner.example", name, data)

    def _configured(self, item: str, terms: ItemTerms) -> StatedEvent:
        data = _place(item) | {
            "unit_cost": "2.10 EUR", "price": "4.90 EUR", "order_cost": "3.00 EUR", "supplier": "acme",
            "lead_time_days": terms.lead_time_days, "minimum_order": terms.minimum, "order_multiple": terms.multiple,
            "capacity": terms.capacity, "stock_out": "backorder" if terms.backorder else "lost",
            "fulfilment": "reserve" if terms.reserve else "immediate", "mode": "approve" if terms.approve else "act",
            "class": self.chance.choice("ABC"), "low_stock": self.chance.choice((None, 10)),
        }  # fmt: skip
        return self._say("planner.example", "item.configured", data, keep=False)

    def _terms(self) -> ItemTerms:
        chance = self.chance
        return ItemTerms(
            reserve=chance.random() < 0.25,
            backorder=chance.random() < 0.3,
            approve=chance.random() < 0.25,
            minimum=chance.choice((1, 10)),
            multiple=chance.choice((1, 6)),
            capacity=chance.choice((None, None, 400)),
            lead_time_days=chance.choice((8, 10)),
            never_counted=chance.random() < 0.05,
        )

    # Again, and otherwise -----------------------------------------------------------------------------------------

    def _again(self, said: StatedEvent) -> StatedEvent:
        """The same event again; another customer's name does not make it another event."""
        return replace(said, data=said.data | {"customer": "c-other"}) if "customer" in said.data else said

    def _conflict(self, said: StatedEvent) -> Iterator[WrittenEvent]:
        """The same id with other data."""
        data: dict[str, Any] = dict(said.data)
        if "lines" in data:
            first = data["lines"][0]
            data["lines"] = [first | {"quantity": first["quantity"] + 1}, *data["lines"][1:]]
            if self.chance.random() < 0.3:
                data["lines"].append(self._line(77, self._item(), 1))
        elif "delta" in data:
            data["delta"] += 1000
        elif "accepted" in data:
            data["accepted"] += 1
        elif "quantity" in data:
            data["quantity"] += 1
        else:
            return
        yield written(replace(said, data=data))

    # Words --------------------------------------------------------------------------------------------------------

    def _say(self, source: str, name: str, data: dict[str, Any], *, keep: bool = True) -> StatedEvent:
        time = self.now - self.chance.choice((0, 0, 0, 0, 0, 0, 0, HOUR, 30 * HOUR, -DAY // 3)) if keep else self.now
        said = StatedEvent(source, f"e{self.seed}-{self._next()}", name, max(time, 0), data)
        if keep:
            self._recent.append(said)
        return said

    def _next(self) -> int:
        self._number += 1
        return self._number

    def _item(self) -> str:
        dice = self.chance.random()
        if dice < self.hot:
            return self.items[0]  # most customers want the same item
        return self.chance.choice(NEW) if dice < self.hot + 0.03 else self.chance.choice(self.items)

    def _lines(self) -> int:
        return self.chance.choice((1, 1, 2, 4))

    def _line(self, number: int, item: str, quantity: int) -> dict[str, Any]:
        return {"line_id": str(number), **_place(item), "quantity": quantity}

    def _of(self, data: dict[str, Any]) -> dict[str, Any]:
        return _place(self._item()) | data

    def _take_order(self) -> StatedEvent | None:
        if not self._orders:
            return None
        order = self.chance.choice(self._orders)
        self._orders.remove(order)
        return order


def _place(item: str) -> dict[str, Any]:
    sku, _, location = item.partition("@")
    return {"sku": sku, "location": location}


def _bare(order: StatedEvent) -> list[dict[str, Any]]:
    names = ("line_id", "sku", "location", "quantity")
    return [{name: line[name] for name in names} for line in order.data["lines"]]
