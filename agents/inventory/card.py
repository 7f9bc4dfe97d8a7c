"""Everything about one item in one hand, decoded as far as somebody has looked.

A card is to the ledger what a stock card is to a warehouse. Its parts are stored apart because they change at
different rates: the item with every movement, pages of its history where something was added, its learning state at
reviews. What a card remembers to save work (the bucket in hand, the levels, the terms that hold) only it changes.

>>> card = Card("TEA-01@BER1", Item(net=12), NEVER, {}, None)
>>> card.settle(), card.quiet_below, card.quiet_above
(None, -4611686018427387904, 4611686018427387904)
>>> card.close_order("rep-1"), card.was_closed("rep-1"), [page for page, _ in card.changed_pages()]
(None, True, ['r'])
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from agents.inventory.alerts import quiet
from agents.inventory.frame import Frame
from agents.inventory.movement_log import MovementLog
from agents.inventory.periods import Closed, bucket_of, close, start_of
from agents.inventory.position import NEVER, Bucket, Item, waiting_since
from agents.inventory.remembered_demand import RememberedDemand, decode_remembered, encode_remembered
from agents.inventory.terms import Effective, Said, decode_said, effective, encode_said
from agents.inventory.window import Window
from schemas.ledger import FoldSettings, Milliseconds, SupplierChange
from schemas.quantities import DAY_MS
from schemas.stored import decoder_of

_MOST_CLOSED = 64
LOGGED_MS = DAY_MS
"""Periods up to this long lie within the log of movements when they are closed."""
_encode_names = msgspec.msgpack.Encoder().encode
_decode_names = decoder_of(list[str], "a list of closed replenishments")


class Card:
    """One item, decoded."""

    __slots__ = (
        "_closed",
        "_effective",
        "_remembered",
        "_remembered_changed",
        "_rewritten",
        "_said",
        "bucket",
        "bucket_ends",
        "bucket_starts",
        "changed",
        "history",
        "item",
        "learning_state",
        "learning_state_changed",
        "name",
        "pages",
        "quiet_above",
        "quiet_below",
        "reorder_at",
        "stored_learning_state",
        "waiting",
        "wake",
        "window",
    )

    def __init__(
        self,
        name: str,
        item: Item,
        wake: Milliseconds,
        pages: Mapping[str, bytes],
        stored_learning_state: bytes | None,
    ) -> None:
        self.name = name
        self.item = item
        self.wake = wake
        """When it wants attention next, even if nothing moves."""
        self.bucket = item.open
        """The bucket that took the last demand, and the times it takes: one demand after another goes there."""
        self.bucket_starts = self.bucket_ends = 0
        self.window = Window(_numbered(pages, "d"))
        self.history = MovementLog(_numbered(pages, "h"))
        self.pages: dict[str, bytes] = {name: data for name, data in pages.items() if name in {"p", "r", "t"}}
        """Pages that are seldom looked at, encoded: p for closed periods, r for closed replenishments, t for terms."""
        self.learning_state: Any = None
        """What forecasters and policies know, decoded when first asked for."""
        self.stored_learning_state = stored_learning_state
        """The same as it was last written: bytes take a third of the memory, and only reviews look at it."""
        self.learning_state_changed = False
        self.quiet_below = NEVER
        self.quiet_above = -NEVER
        """While availability stays between these levels, no alert begins or ends: most movements check only that."""
        self.reorder_at = -NEVER
        """The position at which a decision is due between two reviews."""
        self.waiting = waiting_since(item)
        """Since when open proposals have waited, as the counters know it."""
        self.changed = False
        """Whether the next checkpoint has to write this card; `Shelf.touch` sets it."""
        self._effective: tuple[SupplierChange | None, Effective] | None = None
        """The terms that hold, with the supplier that they were worked out with; None after the item's own changed."""
        self._said: Said | None = None
        self._remembered: RememberedDemand | None = None
        self._remembered_changed = False
        self._closed: list[str] | None = None
        self._rewritten: list[str] = []

    # Levels -------------------------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Work out within which levels the next movements need no closer look."""
        item = self.item
        self.quiet_below, self.quiet_above = quiet(item) if item.known else (-NEVER, NEVER)
        watched = item.known and item.reorder_point is not None and not item.below
        self.reorder_at = item.reorder_point if watched and item.reorder_point is not None else -NEVER

    def unsettle(self) -> None:
        """Have alerts, levels and times looked at after this movement, whatever its size."""
        self.quiet_below = NEVER

    # Periods ------------------------------------------------------------------------------------------------------

    def find_bucket(self, time: Milliseconds, frame: Frame, demand: int = 0) -> None:
        """Put the bucket of a moment in hand; demand of a period that is closed is remembered there at once."""
        item, settings = self.item, frame.settings
        before = item.starts, item.ends
        self.bucket = bucket_of(item, time, frame.watermark, settings)
        if demand and time < item.starts:
            self._book_late(time, demand)
        elif self.bucket is item.open:
            self.bucket_starts, self.bucket_ends = item.starts, item.ends
        else:
            starts = start_of(time, settings)
            self.bucket_starts, self.bucket_ends = max(starts, item.ends), starts + settings.period_ms
        if (item.starts, item.ends) != before:
            self.unsettle()

    def _book_late(self, time: Milliseconds, demand: int) -> None:
        """Add demand to its closed period, for the next review to learn; what is older than that is only counted.

        The bucket in hand is then nobody's, and the next demand looks for its own.
        """
        remembered = self.remembered
        self.item.open.late += demand
        self.item.closed_periods += remembered.reach_back(time)
        remembered.change(time, demand)
        self.keep_remembered()
        starts = remembered.starts_of(time)
        self.bucket = Bucket()
        self.bucket_starts = self.bucket_ends = self.item.starts if starts is None else starts

    def close_period(self, settings: FoldSettings) -> Closed:
        """End the open period and open the next."""
        self.item.open.ran_out = self._ran_out()
        closed = close(self.item, settings)
        self.bucket_starts = self.bucket_ends = 0
        return closed

    def _ran_out(self) -> bool:
        """Whether nothing was available at some moment of the open period, judged by that period's own stock.

        What lies there when the period is closed says nothing of a day long ago, and before the stock is known nothing
        can be said. Where the log of movements does not tell (reserved stock is not in it, and it does not reach back
        further than a count may), what was seen while the period was open counts.
        """
        item = self.item
        if not item.known or item.known_since >= item.ends:
            return False
        if item.reserve or item.ends - item.starts > LOGGED_MS:
            return item.open.ran_out
        return self.history.lowest(item.net, max(item.starts, item.known_since), item.ends) <= 0

    @property
    def remembered(self) -> RememberedDemand:
        """Demand of the closed periods; whoever changes it calls `keep_remembered`."""
        if self._remembered is None:
            data = self.pages.get("p")
            self._remembered = RememberedDemand() if data is None else decode_remembered(data)
        return self._remembered

    def keep_remembered(self) -> None:
        """Have the remembered demand written, since it has changed."""
        self._remembered_changed = True

    # Terms --------------------------------------------------------------------------------------------------------

    @property
    def said(self) -> Said:
        """What planners said of the item; whoever changes it calls `keep_said`."""
        if self._said is None:
            data = self.pages.get("t")
            self._said = Said() if data is None else decode_said(data)
        return self._said

    def keep_said(self) -> None:
        """Write down what planners said, since it has changed."""
        self._effective = None
        self._write("t", encode_said(self.said))

    def terms(self, suppliers: Mapping[str, SupplierChange]) -> Effective:
        """The terms that hold for the item, its supplier's share in them."""
        name = self.said.terms.supplier
        supplier = suppliers.get(name) if isinstance(name, str) else None
        if self._effective is None or self._effective[0] is not supplier:
            self._effective = supplier, effective(self.said, supplier)
        return self._effective[1]

    # Closed orders ------------------------------------------------------------------------------------------------

    def was_closed(self, replenishment: str) -> bool:
        """Whether an order was open once and is no more."""
        return replenishment in self._closed_names()

    def close_order(self, replenishment: str) -> None:
        """Remember an order that came to its end; the newest few dozen are remembered."""
        closed = self._closed_names()
        closed.append(replenishment)
        del closed[:-_MOST_CLOSED]
        self._write("r", _encode_names(closed))

    # Pages --------------------------------------------------------------------------------------------------------

    def changed_pages(self) -> Iterator[tuple[str, bytes | None]]:
        """Encode the pages that changed since the last call; None for those that are gone."""
        self._write_remembered()
        self._remembered = None
        for number, data in self.window.changed():
            yield f"d{number}", data
        for hour, data in self.history.changed():
            yield f"h{hour}", data
        for page in sorted(set(self._rewritten)):
            yield page, self.pages[page]
        self._rewritten = []

    def all_pages(self) -> Iterator[tuple[str, bytes]]:
        """Encode every page."""
        self._write_remembered()
        for number, page in self.window.pages.items():
            yield f"d{number}", page.dump()
        for hour, data in self.history.dump():
            yield f"h{hour}", data
        yield from self.pages.items()

    def _write_remembered(self) -> None:
        if self._remembered_changed:
            self._write("p", encode_remembered(self.remembered))
            self._remembered_changed = False

    def _write(self, page: str, data: bytes) -> None:
        self.pages[page] = data
        self._rewritten.append(page)

    def _closed_names(self) -> list[str]:
        if self._closed is None:
            data = self.pages.get("r")
            self._closed = [] if data is None else _decode_names(data)
        return self._closed


def _numbered(pages: Mapping[str, bytes], kind: str) -> dict[int, bytes] | None:
    return {int(name[1:]): data for name, data in pages.items() if name[0] == kind} or None
