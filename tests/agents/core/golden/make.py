"""Lives through six weeks of a small shop with the core of this checkout, and writes down all of it: see the README."""

import gzip
import random
import sys
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import xxhash
from scipy import special

from agents.core.core import Core
from schemas import ledger
from schemas.ledger import (
    Acknowledged,
    Adjusted,
    Approved,
    Arrived,
    CalendarChange,
    Cancelled,
    Configured,
    Counted,
    Declined,
    FoldSettings,
    Fulfilled,
    LedgerCreated,
    Movement,
    Notice,
    Placed,
    Priced,
    Progress,
    PromotionDropped,
    PromotionPlanned,
    Received,
    Rejected,
    Returned,
    Sent,
    SettingsChanged,
    Shipped,
    SupplierChange,
    Terms,
    Ticked,
    TransferUnderway,
    Withdrawn,
)

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
START = 1_772_409_600_000
"""Monday 2 March 2026."""
DAYS = 42
SETTINGS = FoldSettings(lateness_ms=30 * MINUTE, spread_ms=2 * HOUR)
FEEDS = ("orders-id/0", "stock-id/0")
ITEMS = {
    "TEA-01@BER1": Terms(lead_time_days=2.0, unit_cost=2.1, abc_class="A", supplier="acme", low_stock=14),
    "MUG-07@BER1": Terms(policy="base-stock", mode="approve", lead_time_days=1.0, order_multiple=6),
    "POT-03@BER1": Terms(policy="s-S", forecaster="tsb", fulfilment="reserve", stock_out="backorder", order_cost=3.0),
    "CUP-02@BER1": Terms(reorder_point=20, order_up_to=60, forecaster="moving-average", supplier="acme"),
    "JAR-05@HAM2": Terms(policy="pil", forecaster="ewma", review_period_days=2.0, capacity=80, abc_class="B"),
    "TIN-09@HAM2": Terms(policy="nobody", forecaster="nobody", lifecycle="phase_out", price=9.5),
}


def arithmetic() -> str:
    """A fingerprint of how this machine computes what learners compute: equal ones give equal floats."""
    grid = np.linspace(0.01, 30.0, 4001)
    made = (
        np.exp(-grid), np.log(grid), np.sqrt(grid), grid**1.7, np.log1p(grid), np.expm1(-grid), np.sin(grid),
        np.tanh(grid),
        special.gammainc(grid, grid), special.gammaln(grid), special.gammaincinv(grid, 0.95), special.ndtr(grid - 15),
        np.array([value**0.3 for value in grid.tolist()]), np.cumsum(grid), np.array([grid @ grid]),
        np.linalg.solve(np.vander(grid[:6]), grid[:6]),
    )  # fmt: skip
    return xxhash.xxh3_64_hexdigest(b"".join(part.tobytes() for part in made))


class GoldenShop:
    """Writes the ledger of one partition, folds it as it grows, and keeps what came of it."""

    def __init__(self, partition: int) -> None:
        self.core = Core(partition)
        self.records: list[tuple[bytes, int, list[Any], list[Any]]] = []
        """Each with its append time, the journal's entries and the outputs; its offset is its place."""
        self.decided: list[Any] = []
        self.now = START
        self._sent = 0
        self._marks: dict[str, tuple[int, int]] = {}

    def append(self, record: ledger.Record) -> None:
        outputs = [o for o in self.core.fold(record, len(self.records), self.now, None) if o is not None]
        entries = [output.entry for output in outputs]
        self.decided += [entry for entry in entries if hasattr(entry, "replenishment")]
        said = [(output.topic, output.item, output.at, output.review, output.event) for output in outputs]
        kept = [entry for entry in entries if entry is not None]
        self.records.append((ledger.encode_record(record), self.now, kept, said))

    def happens(self, item: str, change: Any, at: int | None = None, **given: Any) -> None:
        """Fold a movement of an item; `id`, `body`, `ordinal` and `feed` are for unusual ones."""
        self._sent += 1
        feed = given.get("feed", FEEDS[0] if isinstance(change, Placed | Cancelled | Rejected) else FEEDS[1])
        name = given.get("id", f"e{self._sent}")
        origin = (self._sent, given.get("ordinal", 0))
        prev = given.get("prev", self._marks.get(feed))
        self._marks[feed] = origin
        identity = xxhash.xxh3_64_intdigest(name.encode())
        body = given.get("body", xxhash.xxh3_64_intdigest(ledger.encode_record(change)))
        time = self.now if at is None else at
        self.append(
            Movement(item, feed, *origin, prev, "shop", name, identity, body, time, change, f"c{self._sent % 3}")
        )

    def says(self, change: Any, name: str, body: int = 0) -> None:
        """Fold a notice, which concerns no single item."""
        self._sent += 1
        prev, origin = self._marks.get(FEEDS[1]), (self._sent, 0)
        self._marks[FEEDS[1]] = origin
        identity = xxhash.xxh3_64_intdigest(name.encode())
        self.append(Notice(FEEDS[1], *origin, prev, "shop", name, identity, body, self.now, change))

    def passes(self, hours: float) -> None:
        """Let time pass, and tick."""
        self.now += int(hours * HOUR)
        progress = tuple(Progress(feed, self._sent + 1, self.now, drained=True, prev=None) for feed in FEEDS)
        self.append(Ticked("w", self.now, progress, FEEDS, SETTINGS))


def lived(chance: random.Random) -> tuple[GoldenShop, dict[str, Any]]:
    """The shop after its six weeks, and its tables as they were after four."""
    shop, middle = GoldenShop(4), {}
    shop.append(LedgerCreated("k3f9", "restock", 4, 12, FoldSettings()))
    shop.append(SettingsChanged(SETTINGS))
    shop.says(SupplierChange("acme", 3.0, 12, 6, ("mon", "wed", "fri")), "supplier")
    shop.says(CalendarChange("HAM2", ("sun",)), "calendar")
    for item, terms in ITEMS.items():
        shop.happens(item, Configured(terms))
        shop.happens(item, Counted(chance.randint(15, 60), shop.now - MINUTE))
    for day in range(DAYS):
        if day == 28:
            middle = {"next": len(shop.records), "tables": tables(shop.core)}
        for hour in range(8, 20, 3):
            shop.passes(hour - (shop.now - START) % DAY / HOUR)
            _sells(shop, chance, day)
        _unusual(shop, chance, day)
        _supplies(shop, chance)
        shop.passes((START + (day + 1) * DAY - shop.now) / HOUR + 0.75)
        if day % 5 == 4:
            shop.passes(2)
    return shop, middle


def tables(core: Any) -> dict[str, dict[str, bytes]]:
    """Everything that the core would store."""
    return {table: dict(sorted(fields.items())) for table, fields in core.dump().items()}


def _sells(shop: GoldenShop, chance: random.Random, day: int) -> None:
    for number, item in enumerate(ITEMS):
        if chance.random() > 0.75 / (1 + number % 3):
            continue
        order, back = chance.randint(1, 400), chance.choice([0, 0, 0, -HOUR, -5 * HOUR, -30 * HOUR])
        quantity = chance.randint(1, 4 + (8 if day > 25 and number == 0 else 0))
        shop.happens(
            item, Placed(quantity, order, chance.choice([None, 4.9]), customer=chance.randint(1, 9)), shop.now + back
        )
        if chance.random() < 0.12:
            shop.happens(item, Cancelled(quantity, order))
        if item.startswith("POT") and chance.random() < 0.8:
            shop.happens(item, Fulfilled(quantity))
        if chance.random() < 0.1:
            shop.happens(item, Rejected(chance.randint(1, 3)))
        if chance.random() < 0.1:
            shop.happens(item, Returned(1, restock=chance.random() < 0.7))


def _supplies(shop: GoldenShop, chance: random.Random) -> None:
    """Suppliers answer, ship and deliver, or are silent; a buyer approves or declines."""
    for decided in list(shop.decided):
        name, item, kind = decided.replenishment, decided.item, chance.random()
        if kind < 0.1:
            continue
        shop.decided.remove(decided)
        if decided.proposed:
            shop.happens(item, Declined(name) if kind < 0.25 else Approved(name))
            continue
        status = "partial" if kind < 0.3 else "rejected" if kind > 0.95 else "accepted"
        confirmed = decided.quantity - 1 if status == "partial" else decided.quantity
        shop.happens(item, Acknowledged(name, status, confirmed, shop.now + 2 * DAY if kind < 0.5 else None))  # type: ignore[arg-type]
        if kind > 0.9:
            continue
        shop.happens(item, Shipped(name, confirmed, shop.now + DAY))
        if 0.6 < kind < 0.65:
            shop.happens(item, Withdrawn(name, confirmed // 2))
        elif kind > 0.2:
            part = confirmed // 2 if kind > 0.8 else confirmed
            shop.happens(
                item, Received(part, confirmed % 2, name, final=kind < 0.7, supplier="acme"), shop.now + 20 * HOUR
            )


def _unusual(shop: GoldenShop, chance: random.Random, day: int) -> None:
    """What does not happen every day: counts, transfers, refusals, and what `_planned` adds."""
    item = chance.choice(list(ITEMS))
    match day % 14:
        case 1:
            shop.happens(item, Counted(chance.randint(0, 40), shop.now - HOUR))
        case 2:
            shop.happens(item, Sent("t1", 2))
            shop.happens("CUP-02@BER1", TransferUnderway(f"t{day}", 8, shop.now + DAY))
        case 3:
            shop.happens("CUP-02@BER1", Arrived(f"t{day - 1}", 8))
            shop.happens("MUG-07@BER1", Arrived(f"early{day}", 3))
        case 4:
            shop.happens(item, Counted(5, shop.now - 4 * DAY))
            shop.happens(item, Approved("rep-0"))
        case _:
            _planned(shop, chance, day)


def _planned(shop: GoldenShop, chance: random.Random, day: int) -> None:
    """Promotions, prices and terms; and what is published twice or out of order."""
    item = chance.choice(list(ITEMS))
    match day % 14:
        case 5:
            shop.says(PromotionPlanned("p1", "TEA-01", None, shop.now + DAY, shop.now + 3 * DAY, 0.2), f"p{day}")
            shop.says(PromotionPlanned("p1", "TEA-01", None, shop.now + DAY, shop.now + 3 * DAY, 0.2), f"p{day}")
            shop.says(PromotionDropped("p2", None, "BER1"), f"p{day}", body=7)
        case 6:
            shop.happens("TEA-01@BER1", PromotionPlanned("own", "TEA-01", "BER1", shop.now, shop.now + 2 * DAY))
            shop.happens("TEA-01@BER1", Priced(5.5, shop.now + DAY))
        case 7:
            shop.happens("TEA-01@BER1", PromotionDropped("own", "TEA-01", "BER1"))
            shop.happens(item, Adjusted(chance.choice([-9, 4]), "found"))
        case 8:
            shop.happens(item, Placed(1, 7), id="twice")
            shop.happens(item, Placed(1, 7), id="twice", ordinal=1)
            shop.happens(item, Placed(1, 7), id="twice")
            shop.happens(item, Placed(2, 7), id="twice")
        case 9:
            shop.happens(item, Placed(1), feed="orders-id/3", prev=(10**9, 0))
            shop.happens("NEW-01@BER1", Placed(2, 5), shop.now - 9 * DAY)
        case 10:
            shop.happens(item, Configured(Terms(low_stock=None, abc_class="B", service_level=0.9)))
            shop.happens("TIN-09@HAM2", Adjusted(-60))
        case _:
            pass


def main(path: str) -> None:
    """Write the golden file."""
    shop, middle = lived(random.Random(12))
    golden = {
        "arithmetic": arithmetic(),
        "records": shop.records,
        "middle": middle,
        "tables": tables(shop.core),
    }
    data = gzip.compress(msgspec.msgpack.encode(golden), 9, mtime=0)
    Path(path).write_bytes(data)
    kinds: dict[str, int] = {}
    for _, _, _, outputs in shop.records:
        for topic, *_ in outputs:
            kinds[topic] = kinds.get(topic, 0) + 1
    print(f"{len(shop.records)} records, {kinds}, {len(data):,} bytes, arithmetic {golden['arithmetic']}")


if __name__ == "__main__":
    main(sys.argv[1])
