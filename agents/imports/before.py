"""What holds of items before counts or terms change them: written down with a run, so that it can be gone back to."""

from collections.abc import Mapping, Sequence

from msgspec import UNSET

from agents.imports.events import Ready
from agents.imports.runs import StateBefore
from agents.intake.movements import terms_of
from agents.inventory.card import Card
from schemas.inbound import ItemConfigured, StockCounted
from schemas.ledger import Terms
from schemas.quantities import item, milliseconds


def moments_of(events: Sequence[Ready]) -> dict[str, int | None]:
    """The items that are counted or given terms, and the moment of their last count: movements since then matter."""
    moments: dict[str, int | None] = {}
    for data in _changing(events).values():
        name = item(data.sku, data.location)
        moment = milliseconds(data.as_of) if isinstance(data, StockCounted) else None
        moments[name] = moment if moment is None else max(moment, moments.get(name) or 0)
    return moments


def states_before(events: Sequence[Ready], cards: Mapping[str, Card | None]) -> dict[str, StateBefore]:
    """By the id of an event that counts or states terms, what the checkpoints hold of its item."""
    return {id_: _before(data, cards[item(data.sku, data.location)]) for id_, data in _changing(events).items()}


def _changing(events: Sequence[Ready]) -> dict[str, ItemConfigured | StockCounted]:
    drafts = (event.draft for event in events)
    return {draft.id: draft.data for draft in drafts if isinstance(draft.data, ItemConfigured | StockCounted)}


def _before(data: ItemConfigured | StockCounted, card: Card | None) -> StateBefore:
    if card is None:
        return StateBefore(known=False)
    if isinstance(data, StockCounted):
        # As the count itself reckons: what is there now, without what moved since.
        stock = card.item.net - card.history.after(milliseconds(data.as_of))
        return StateBefore(card.item.known, stock)
    stated, held = terms_of(data), card.said.terms
    terms = {name: getattr(held, name) for name in Terms.__struct_fields__ if getattr(stated, name) is not UNSET}
    return StateBefore(known=True, terms={name: value for name, value in terms.items() if value is not UNSET})
