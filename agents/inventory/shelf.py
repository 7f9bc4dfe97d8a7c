"""All cards of a shard: those looked at lately are decoded, the others stay as they were stored.

Its tables are `items` (the item, and before it in eight bytes when it wants attention next), `pages` and `minds`
(learning states; the table kept its first name).

>>> shelf = Shelf(lambda learning_state: learning_state)
>>> card = shelf.open("TEA-01@BER1")
>>> card.item.net, card.wake = 12, 86_400_000
>>> shelf.touch(card)
>>> sorted(shelf.changes()["items"])
['TEA-01@BER1']
>>> again = Shelf(lambda learning_state: learning_state)
>>> again.load(shelf.dump())
[(86400000, 'TEA-01@BER1')]
>>> again.find("TEA-01@BER1").item.net, again.find("MUG-07@BER1"), len(again)
(12, None, 1)
"""

from collections.abc import Callable, Mapping
from typing import Any

from agents.inventory.card import Card
from agents.inventory.position import NEVER, Item
from agents.inventory.stored_item import decode_item, encode_item
from schemas.ledger import Milliseconds
from schemas.spelling import folded

_SEPARATOR = "\x00"
"""Between an item and the name of its page; no item's name holds it."""

_KILOBYTES, _KILOBYTES_REVIEWED = 2, 6
"""What a card takes in a checkpoint: item and pages, and after a review the learning state and more pages besides."""


class Shelf:
    """The cards of a shard by item."""

    def __init__(self, encode_learning_state: Callable[[Any], bytes], most_decoded: int = 200_000) -> None:
        self.cards: dict[str, Card] = {}
        """Those that are decoded."""
        self._changed: list[Card] = []
        self.reviewed = 0
        """Cards among them whose learning states have changed, too."""
        self._encode_learning_state = encode_learning_state
        self._most_decoded = most_decoded
        self._heads: dict[str, bytes] = {}
        self._pages: dict[str, dict[str, bytes]] = {}
        self._learning_states: dict[str, bytes] = {}
        self._spelt: dict[str, str] | None = None
        """Items by what all spellings of their name have in common; None until somebody asks."""

    def __len__(self) -> int:
        return len(self.cards) + len(self._heads)

    @property
    def unsaved(self) -> int:
        """How much is to be written, in kilobytes or so."""
        return _KILOBYTES * len(self._changed) + _KILOBYTES_REVIEWED * self.reviewed

    def find(self, name: str) -> Card | None:
        """The card of an item, decoded if need be; None when there is no such item."""
        card = self.cards.get(name)
        if card is None and name in self._heads:
            wake, item = _split_head(self._heads.pop(name))
            card = Card(name, item, wake, self._pages.pop(name, {}), self._learning_states.pop(name, None))
            card.settle()
            self.cards[name] = card
        return card

    def open(self, name: str) -> Card:
        """Begin the card of a new item."""
        card = self.cards[name] = Card(name, Item(), NEVER, {}, None)
        if self._spelt is not None:
            self._spelt[folded(name)] = min(name, self._spelt.get(folded(name), name))
        return card

    def alike(self, name: str) -> str | None:
        """The item that another spelling of that name stands for; None where there is none."""
        if self._spelt is None:
            known = sorted((*self._heads, *self.cards), reverse=True)
            self._spelt = {folded(name): name for name in known}  # of several the first in the order of names
        return self._spelt.get(folded(name))

    def touch(self, card: Card) -> None:
        """Note that the next checkpoint has to write a card."""
        if not card.changed:
            card.changed = True
            self._changed.append(card)

    def changes(self) -> dict[str, dict[str, bytes | None]]:
        """Encode what has changed since the last call, and put cards back that nobody needs decoded."""
        items: dict[str, bytes | None] = {}
        pages: dict[str, bytes | None] = {}
        learning_states: dict[str, bytes | None] = {}
        for card in self._changed:
            card.changed = False
            items[card.name] = _head(card)
            for page, data in card.changed_pages():
                pages[f"{card.name}{_SEPARATOR}{page}"] = data
            if card.learning_state_changed:
                card.learning_state_changed = False
                card.stored_learning_state = self._encode_learning_state(card.learning_state)
                learning_states[card.name] = card.stored_learning_state
            card.learning_state = None
        self._changed, self.reviewed = [], 0
        self._put_back()
        return {"items": items, "pages": pages, "minds": learning_states}

    def load(self, tables: Mapping[str, Mapping[str, bytes | None]]) -> list[tuple[Milliseconds, str]]:
        """Take in a slice of a checkpoint without decoding it; answers with when its items want attention."""
        for field, data in tables.get("pages", {}).items():
            if data is not None:
                name, _, page = field.partition(_SEPARATOR)
                self._pages.setdefault(name, {})[page] = data
        self._learning_states.update({name: data for name, data in tables.get("minds", {}).items() if data is not None})
        heads = {name: data for name, data in tables.get("items", {}).items() if data is not None}
        self._heads.update(heads)
        self._spelt = None
        return [(int.from_bytes(data[:8], "big"), name) for name, data in heads.items()]

    def dump(self) -> dict[str, dict[str, bytes]]:
        """Everything, encoded; changes nothing."""
        items, learning_states = dict(self._heads), dict(self._learning_states)
        pages = {f"{name}{_SEPARATOR}{page}": data for name, of in self._pages.items() for page, data in of.items()}
        for name, card in self.cards.items():
            items[name] = _head(card)
            for page, data in card.all_pages():
                pages[f"{name}{_SEPARATOR}{page}"] = data
            changed = card.learning_state_changed
            stored = self._encode_learning_state(card.learning_state) if changed else card.stored_learning_state
            if stored is not None:
                learning_states[name] = stored
        return {"items": items, "pages": pages, "minds": learning_states}

    def _put_back(self) -> None:
        """Keep the oldest cards as bytes when too many are decoded, a tenth more than that asks for."""
        if len(self.cards) <= self._most_decoded:
            return
        for name in list(self.cards)[: len(self.cards) - self._most_decoded * 9 // 10]:
            card = self.cards.pop(name)
            self._heads[name] = _head(card)
            pages = dict(card.all_pages())
            if pages:
                self._pages[name] = pages
            if card.stored_learning_state is not None:
                self._learning_states[name] = card.stored_learning_state


def read_item(data: bytes) -> Item:
    """Read an item as it lies in the table `items`; ValueError when it is not one."""
    return _split_head(data)[1]


def _head(card: Card) -> bytes:
    return card.wake.to_bytes(8, "big") + encode_item(card.item)


def _split_head(data: bytes) -> tuple[Milliseconds, Item]:
    return int.from_bytes(data[:8], "big"), decode_item(memoryview(data)[8:])
