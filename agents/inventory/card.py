"""Everything about one item in one hand, decoded as far as somebody has looked; and all items of a shard.

A card is to the ledger what a stock card is to a warehouse. Its parts are stored apart because they change at
different rates: the item with every movement, pages of its history where something was added, its mind at reviews.

>>> shelf = Shelf(lambda mind: mind)
>>> card = shelf.open("TEA-01@BER1")
>>> card.item.net, card.wake = 12, 86_400_000
>>> card.touch(shelf)
>>> sorted(shelf.changes()["items"])
['TEA-01@BER1']
>>> again = Shelf(lambda mind: mind)
>>> again.load(shelf.dump())
[(86400000, 'TEA-01@BER1')]
>>> again.find("TEA-01@BER1").item.net, again.find("MUG-07@BER1"), len(again)
(12, None, 1)
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from agents.inventory.movement_log import MovementLog
from agents.inventory.position import NEVER, Item, decode_item, encode_item
from agents.inventory.terms import Effective, Said, decode_said, encode_said
from agents.inventory.window import Window
from schemas.ledger import Milliseconds, SupplierChange

_MOST_CLOSED = 64
_SEPARATOR = "\x00"
"""Between an item and the name of its page; no item's name holds it."""
_encode_names = msgspec.msgpack.Encoder().encode
_decode_names = msgspec.msgpack.Decoder(list[str]).decode


class Card:
    """One item, decoded."""

    __slots__ = (
        "_closed",
        "_rewritten",
        "_said",
        "bucket",
        "bucket_ends",
        "bucket_starts",
        "changed",
        "effective",
        "history",
        "item",
        "mind",
        "mind_changed",
        "mind_data",
        "name",
        "pages",
        "quiet_above",
        "quiet_below",
        "reorder_at",
        "wake",
        "window",
    )

    def __init__(
        self, name: str, item: Item, wake: Milliseconds, pages: Mapping[str, bytes], mind: bytes | None
    ) -> None:
        self.name = name
        self.item = item
        self.wake = wake
        """When it wants attention next, whatever moves."""
        self.bucket = item.open
        """The bucket that took the last demand, and the times it takes: most demand follows one another."""
        self.bucket_starts = self.bucket_ends = 0
        self.window = Window(_numbered(pages, "d"))
        self.history = MovementLog(_numbered(pages, "h"))
        self.pages: dict[str, bytes] = {name: data for name, data in pages.items() if name in {"r", "t"}}
        """Pages that are seldom looked at, encoded: r for closed replenishments, t for terms."""
        self.mind: Any = None
        """What forecasters and policies know, decoded when first asked for."""
        self.mind_data = mind
        """The same as it was last written; bytes take a third of the room, and a mind is wanted once a period."""
        self.mind_changed = False
        self.quiet_below = NEVER
        self.quiet_above = -NEVER
        """Between these two levels of availability no alert begins or ends: what most movements check, and no more."""
        self.reorder_at = -NEVER
        self.changed = False
        self.effective: tuple[SupplierChange | None, Effective] | None = None
        """What holds of what was said, with the supplier's share in it, until either changes."""
        self._said: Said | None = None
        self._closed: list[str] | None = None
        self._rewritten: list[str] = []

    def touch(self, shelf: "Shelf") -> None:
        """Note that the next checkpoint has to write this card."""
        if not self.changed:
            self.changed = True
            shelf.changed.append(self)

    def unsettle(self) -> None:
        """Have alerts, levels and times looked at after this movement, whatever its size."""
        self.quiet_below = NEVER

    @property
    def said(self) -> Said:
        """What planners said of the item; `say` what has been changed."""
        if self._said is None:
            data = self.pages.get("t")
            self._said = Said() if data is None else decode_said(data)
        return self._said

    def say(self) -> None:
        """Note that what was said has changed."""
        self.effective = None
        self._write("t", encode_said(self.said))

    def was_closed(self, replenishment: str) -> bool:
        """Whether an order was open once and is no more."""
        return replenishment in self._closed_names()

    def close(self, replenishment: str) -> None:
        """Remember an order that came to its end, the newest few dozen of them."""
        closed = self._closed_names()
        closed.append(replenishment)
        del closed[:-_MOST_CLOSED]
        self._write("r", _encode_names(closed))

    def changed_pages(self) -> Iterator[tuple[str, bytes | None]]:
        """Encode the pages that changed since the last call; None for those that are gone."""
        for number, data in self.window.changed():
            yield f"d{number}", data
        for hour, data in self.history.changed():
            yield f"h{hour}", data
        for page in sorted(set(self._rewritten)):
            yield page, self.pages[page]
        self._rewritten = []

    def all_pages(self) -> Iterator[tuple[str, bytes]]:
        """Encode every page."""
        for number, page in self.window.pages.items():
            yield f"d{number}", page.dump()
        for hour, data in self.history.dump():
            yield f"h{hour}", data
        yield from self.pages.items()

    def _write(self, page: str, data: bytes) -> None:
        self.pages[page] = data
        self._rewritten.append(page)

    def _closed_names(self) -> list[str]:
        if self._closed is None:
            data = self.pages.get("r")
            self._closed = [] if data is None else _decode_names(data)
        return self._closed


class Shelf:
    """All cards of a shard: those looked at lately decoded, the others as they were stored."""

    def __init__(
        self,
        encode_mind: Callable[[Any], bytes],
        prepare: Callable[[Card], None] = lambda _: None,
        most_decoded: int = 200_000,
    ) -> None:
        self.cards: dict[str, Card] = {}
        self.changed: list[Card] = []
        self._encode_mind = encode_mind
        self._prepare = prepare
        """Called with every card that has just been decoded."""
        self._most_decoded = most_decoded
        self._heads: dict[str, bytes] = {}
        self._pages: dict[str, dict[str, bytes]] = {}
        self._minds: dict[str, bytes] = {}

    def __len__(self) -> int:
        return len(self.cards) + len(self._heads)

    def find(self, name: str) -> Card | None:
        """The card of an item, decoded if need be; None when there is no such item."""
        card = self.cards.get(name)
        if card is None and name in self._heads:
            data = self._heads.pop(name)
            wake, item = _split(data)
            card = Card(name, item, wake, self._pages.pop(name, {}), self._minds.pop(name, None))
            self._prepare(card)
            self.cards[name] = card
        return card

    def open(self, name: str) -> Card:
        """Begin the card of a new item."""
        card = self.cards[name] = Card(name, Item(), NEVER, {}, None)
        return card

    def changes(self) -> dict[str, dict[str, bytes | None]]:
        """Encode what has changed since the last call, and put cards back that nobody needs decoded."""
        items: dict[str, bytes | None] = {}
        pages: dict[str, bytes | None] = {}
        minds: dict[str, bytes | None] = {}
        for card in self.changed:
            card.changed = False
            items[card.name] = _head(card)
            for page, data in card.changed_pages():
                pages[f"{card.name}{_SEPARATOR}{page}"] = data
            if card.mind_changed:
                card.mind_changed = False
                minds[card.name] = card.mind_data = self._encode_mind(card.mind)
            card.mind = None
        self.changed = []
        self._put_back()
        return {"items": items, "pages": pages, "minds": minds}

    def load(self, tables: Mapping[str, Mapping[str, bytes | None]]) -> list[tuple[Milliseconds, str]]:
        """Take in a slice of a checkpoint without decoding it; answers with when its items want attention."""
        for field, data in tables.get("pages", {}).items():
            if data is not None:
                name, _, page = field.partition(_SEPARATOR)
                self._pages.setdefault(name, {})[page] = data
        self._minds.update({name: data for name, data in tables.get("minds", {}).items() if data is not None})
        heads = {name: data for name, data in tables.get("items", {}).items() if data is not None}
        self._heads.update(heads)
        return [(int.from_bytes(data[:8], "big"), name) for name, data in heads.items()]

    def dump(self) -> dict[str, dict[str, bytes]]:
        """Everything, encoded; changes nothing."""
        items, minds = dict(self._heads), dict(self._minds)
        pages = {f"{name}{_SEPARATOR}{page}": data for name, of in self._pages.items() for page, data in of.items()}
        for name, card in self.cards.items():
            items[name] = _head(card)
            for page, data in card.all_pages():
                pages[f"{name}{_SEPARATOR}{page}"] = data
            mind = self._encode_mind(card.mind) if card.mind_changed else card.mind_data
            if mind is not None:
                minds[name] = mind
        return {"items": items, "pages": pages, "minds": minds}

    def _put_back(self) -> None:
        if len(self.cards) <= self._most_decoded:
            return
        for name in list(self.cards)[: len(self.cards) - self._most_decoded * 9 // 10]:
            card = self.cards.pop(name)
            self._heads[name] = _head(card)
            pages = dict(card.all_pages())
            if pages:
                self._pages[name] = pages
            if card.mind_data is not None:
                self._minds[name] = card.mind_data


def read_item(data: bytes) -> Item:
    """Read an item as it lies in the table `items`; ValueError when it is not one."""
    return _split(data)[1]


def _head(card: Card) -> bytes:
    return card.wake.to_bytes(8, "big") + encode_item(card.item)


def _split(data: bytes) -> tuple[Milliseconds, Item]:
    return int.from_bytes(data[:8], "big"), decode_item(memoryview(data)[8:])


def _numbered(pages: Mapping[str, bytes], kind: str) -> dict[int, bytes] | None:
    return {int(name[1:]): data for name, data in pages.items() if name[0] == kind} or None
