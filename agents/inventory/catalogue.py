"""What holds for more than one item: suppliers, classes, calendars, and promotions of a whole sku, location or shop.

>>> catalogue = Catalogue()
>>> catalogue.apply(CalendarChange("BER1", ("sun", "2026-12-25")), None)
>>> friday = 1_798_156_800_000  # 2026-12-25
>>> catalogue.is_open("BER1", friday, friday + DAY_MS, FoldSettings())
False
>>> catalogue.is_open("BER1", friday, friday + 2 * DAY_MS, FoldSettings())
True
>>> catalogue.apply(PromotionPlanned("p", "TEA-01", None, friday, friday + DAY_MS), None)
>>> catalogue.plan("TEA-01@BER1", Said(), friday, friday + 2 * DAY_MS, FoldSettings())
Plan(is_open=True, promotion=0.5, price=None)
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import TypeAlias, assert_never, cast

import msgspec

from agents.inventory.periods import weekday
from agents.inventory.terms import Said
from schemas.ledger import (
    CalendarChange,
    ClassChange,
    FoldSettings,
    Milliseconds,
    PromotionDropped,
    PromotionPlanned,
    SharedChange,
    SupplierChange,
)
from schemas.quantities import DAY_MS, split_item
from schemas.stored import decoder_of

REMEMBERED = 60 * DAY_MS
"""How long a promotion is kept after its end. A period that closes later than that no longer sees it."""
_EPOCH_DAY = date(1970, 1, 1).toordinal()


class Plan(msgspec.Struct, frozen=True, gc=False):
    """What is known of a period in advance."""

    is_open: bool
    promotion: float
    """The share of the period that is on promotion."""
    price: float | None


_encode = msgspec.msgpack.Encoder().encode
_StoredChange: TypeAlias = SupplierChange | ClassChange | CalendarChange | PromotionPlanned
_decode = decoder_of(cast("type[_StoredChange]", _StoredChange), "a catalogue")
_decode_time = decoder_of(int, "when a supplier's terms changed")


class Catalogue:
    """Suppliers, classes, calendars and shared promotions of a shard; every shard has the same."""

    def __init__(self) -> None:
        self.suppliers: dict[str, SupplierChange] = {}
        self.classes: dict[str, ClassChange] = {}
        self.calendars: dict[str, CalendarChange] = {}
        self.promotions: dict[str, PromotionPlanned] = {}
        """By the field each is stored under."""
        self._renewed: dict[str, Milliseconds] = {}
        """When a supplier last had other terms than before."""
        self._changed: dict[str, SharedChange | Milliseconds | None] = {}

    def apply(self, change: SharedChange, watermark: Milliseconds | None, time: Milliseconds = 0) -> None:
        """Take in a change that was published at some time."""
        match change:
            case SupplierChange():
                if change != self.suppliers.get(change.supplier):
                    self._renewed[change.supplier] = self._changed[f"renewed {change.supplier}"] = time
                self.suppliers[change.supplier] = change
                self._changed[f"supplier {change.supplier}"] = change
            case ClassChange():
                self.classes[change.abc] = change
                self._changed[f"class {change.abc}"] = change
            case CalendarChange():
                self.calendars[change.location] = change
                self._changed[f"calendar {change.location}"] = change
            case PromotionPlanned():
                field = _promotion_field(change)
                self.promotions[field] = self._changed[field] = change
                self._forget((watermark or 0) - REMEMBERED)
            case PromotionDropped():
                field = _promotion_field(change)
                if self.promotions.pop(field, None) is not None:
                    self._changed[field] = None
            case _:
                assert_never(change)

    def renewed_since(self, supplier: str | None, moment: Milliseconds) -> bool:
        """Whether a supplier has other terms since a moment."""
        return supplier is not None and self._renewed.get(supplier, 0) > moment

    def plan(self, name: str, said: Said, starts: Milliseconds, ends: Milliseconds, settings: FoldSettings) -> Plan:
        """What is known of a period of an item; most often nothing but its price."""
        sku, location = split_item(name)
        promotion = 0.0
        if said.promotions or self.promotions:
            plans = [*said.promotions, *self.promotions.values()]
            shares = [
                (min(ends, plan.ends) - max(starts, plan.starts)) / (ends - starts)
                for plan in plans
                if plan.sku in {None, sku} and plan.location in {None, location}
            ]
            promotion = min(1.0, max(0.0, *shares)) if shares else 0.0
        price = None if said.terms.price is msgspec.UNSET else said.terms.price
        for change in said.prices:
            if change.effective_at <= starts:
                price = change.price
        is_open = location not in self.calendars or self.is_open(location, starts, ends, settings)
        return Plan(is_open, promotion, price)

    def always(self, name: str, said: Said) -> Plan | None:
        """What is known of every period of an item, where nothing is planned; None where something is."""
        if said.promotions or said.prices or self.promotions or split_item(name)[1] in self.calendars:
            return None
        return Plan(True, 0.0, None if said.terms.price is msgspec.UNSET else said.terms.price)

    def is_open(self, location: str, starts: Milliseconds, ends: Milliseconds, settings: FoldSettings) -> bool:
        """Whether a location sells on any day that a period touches."""
        calendar = self.calendars.get(location)
        if calendar is None:
            return True
        closed = calendar.closed_days
        first, last = (time - settings.day_starts_ms for time in (starts, ends - 1))
        for day in range(first // DAY_MS, last // DAY_MS + 1):
            names = {
                weekday(day * DAY_MS + settings.day_starts_ms, settings),
                date.fromordinal(_EPOCH_DAY + day).isoformat(),
            }
            if names.isdisjoint(closed):
                return True
        return False

    def changed(self) -> Iterator[tuple[str, bytes | None]]:
        """Write what has changed since the last call; None for what is gone."""
        for field, change in self._changed.items():
            yield field, None if change is None else _encode(change)
        self._changed = {}

    def dump(self) -> dict[str, bytes]:
        """Write everything."""
        suppliers = {f"supplier {name}": _encode(change) for name, change in self.suppliers.items()}
        classes = {f"class {abc}": _encode(change) for abc, change in self.classes.items()}
        renewed = {f"renewed {name}": _encode(time) for name, time in self._renewed.items()}
        calendars = {f"calendar {name}": _encode(change) for name, change in self.calendars.items()}
        return {
            **suppliers,
            **renewed,
            **classes,
            **calendars,
            **{name: _encode(change) for name, change in self.promotions.items()},
        }

    def load(self, fields: Mapping[str, bytes]) -> None:
        """Read what was written; ValueError when it is something else."""
        for field, data in fields.items():
            if field.split(" ", 1)[0] in {"supplier", "class", "calendar", "promotion"}:
                self.apply(_decode(data), None)
        for field, data in fields.items():
            if field.startswith("renewed "):
                self._renewed[field.removeprefix("renewed ")] = _decode_time(data)
        self._changed = {}

    def _forget(self, before: Milliseconds) -> None:
        for field in [field for field, promotion in self.promotions.items() if promotion.ends < before]:
            del self.promotions[field]
            self._changed[field] = None


def _promotion_field(change: PromotionPlanned | PromotionDropped) -> str:
    return f"promotion {change.promotion} {change.sku or '*'}@{change.location or '*'}"
