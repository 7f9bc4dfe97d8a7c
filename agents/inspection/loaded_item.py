"""One item with everything its decisions are made from, loaded from a checkpoint's tables into the rooms of the core.

So a question such as "what would be ordered with three fewer in stock" is answered by the code that decides.
"""

import msgspec

from agents.core.counters import Counters
from agents.core.decide import Choice, Decider
from agents.core.learners import Learners
from agents.core.learning_state import LearningState, encode_learning_state, learning_state_of
from agents.core.shard_state import ShardState
from agents.inspection.item import CheckpointedItem
from agents.inventory.ask_limits import AskLimits, ask_limits
from agents.inventory.card import Card
from agents.inventory.shelf import Shelf
from agents.inventory.terms import Effective
from agents.policies.base import Situation
from schemas.ledger import FoldSettings, Milliseconds, SupplierChange


class LoadedItem:
    """An item at a moment."""

    def __init__(self, state: ShardState, decider: Decider, card: Card, moment: Milliseconds) -> None:
        self.card = card
        self.item = card.item
        self.moment = moment
        self.settings: FoldSettings = state.frame.settings
        self.terms: Effective = card.terms(state.frame.suppliers)
        self.supplier: SupplierChange | None = state.frame.suppliers.get(self.terms.supplier or "")
        self.limits: AskLimits = ask_limits(card.said.terms, self.supplier, state.frame.classes.get(self.terms.abc))
        self.learning_state: LearningState = learning_state_of(card)
        self.situation: Situation | None = decider.situation(card, moment)
        """None before the first review."""
        self.may_act = decider.may_act(card.item, moment)
        self._decider = decider

    def choice(self, *, fewer: int = 0, nothing_on_order: bool = False) -> Choice | None:
        """What would be ordered, with so many fewer there or nothing on order; None before the first review."""
        if self.situation is None:
            return None
        pipeline = () if nothing_on_order else self.situation.pipeline
        available = self.situation.available - fewer
        asked = msgspec.structs.replace(self.situation, available=available, pipeline=pipeline)
        return self._decider.choose(self.learning_state, self.terms, asked)


def load_item(stored: CheckpointedItem, moment: Milliseconds | None = None) -> LoadedItem | None:
    """The item at a moment, else at the watermark of its shard; None when there is no such item.

    The whole table `shared` has to be there.
    """
    state, shelf, counters = ShardState(stored.partition), Shelf(encode_learning_state), Counters()
    state.load(stored.tables["shared"])
    learners = Learners(state, counters)
    learners.load(stored.tables["shared"])
    shelf.load(stored.tables)
    card = shelf.find(stored.item)
    if card is None:
        return None
    now = max(state.timeline.watermark or 0, card.item.starts) if moment is None else moment
    return LoadedItem(state, Decider(state, learners, counters), card, now)
