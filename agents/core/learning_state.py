"""What is known of an item beyond its stock: the states of its forecaster and its policies, and how well they did.

Only reviews and decisions look at it. It is stored as one blob, in which every learner's state stands under its name
and version: a state of another version is not guessed at, its learner begins anew.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from agents.forecasting.accuracy import Accuracy
from agents.forecasting.base import DemandForecast
from agents.forecasting.lead_time import Known, check
from agents.inventory.card import Card
from agents.inventory.kpis import KpiSums
from agents.policies.facts import PastDemand
from schemas.journal import Decided
from schemas.ledger import Milliseconds
from schemas.stored import decoder_of

REMEMBERED = 2
"""Decisions kept with their reasons; open proposals are kept besides."""


class StoredLearner(msgspec.Struct, array_like=True, gc=False):
    """The state of one learner, as it writes itself."""

    version: int
    state: bytes


class ReviewRecord(msgspec.Struct, array_like=True, gc=False):
    """The part of a learning state that is no learner's own."""

    forecast: DemandForecast | None = None
    """Of the protection interval, as made at the last review."""
    ordered: int = 0
    """Since the last review began."""
    owed: int = 0
    """Units short at the last review: sold or waited for, and not in stock."""
    cost: float = 0.0
    """What the item has cost so far under whoever acted."""
    figures: KpiSums = msgspec.field(default_factory=KpiSums)
    accuracy: Accuracy = msgspec.field(default_factory=Accuracy)
    policy: str | None = None
    """Who acted at the last review."""
    decisions: list[Decided] = []
    fallen_in: str | None = None
    """The class under which it counts as fallen back to the baseline."""
    waits: Known = {}
    """What is known of its suppliers' lead times, in periods of `period_ms`."""
    period_ms: Milliseconds = 0
    past: PastDemand = msgspec.field(default_factory=PastDemand)
    """The facts of its demand, in the same periods."""
    planned: float = 0.0
    """Strongest promotion planned within the forecast's reach."""


class StoredLearningState(msgspec.Struct, array_like=True, gc=False):
    """A learning state as it is written."""

    record: ReviewRecord = msgspec.field(default_factory=ReviewRecord)
    forecasters: dict[str, StoredLearner] = {}
    policies: dict[str, StoredLearner] = {}


class LearningState:
    """A learning state in use: learners' states are decoded as far as they were asked for."""

    __slots__ = ("forecasters", "policies", "record", "stored")

    def __init__(self, stored: StoredLearningState) -> None:
        self.stored = stored
        self.record = stored.record
        self.forecasters: dict[str, tuple[Any, Any]] = {}
        """By name: forecaster and state."""
        self.policies: dict[str, tuple[Any, Any]] = {}

    def forecaster_state(self, forecaster: Any) -> Any:
        """The state of the item's forecaster, decoded or begun."""
        return _state(forecaster, self.forecasters, self.stored.forecasters)

    def policy_state(self, policy: Any) -> Any:
        """The state of one of the item's policies, decoded or begun."""
        return _state(policy, self.policies, self.stored.policies)

    def peek(self, learner: Any) -> Any:
        """A learner's state for reading only: nothing is begun where there is none."""
        for used, written in ((self.forecasters, self.stored.forecasters), (self.policies, self.stored.policies)):
            if learner.name in used or learner.name in written:
                return _state(learner, used, written)
        return learner.fresh()

    def forget_others(self, forecaster: str, policies: set[str]) -> None:
        """Forget the states of all other learners than these."""
        for used, written, names in (
            (self.forecasters, self.stored.forecasters, {forecaster}),
            (self.policies, self.stored.policies, policies),
        ):
            for name in [name for name in {**used, **written} if name not in names]:
                used.pop(name, None)
                written.pop(name, None)


_encode = msgspec.msgpack.Encoder().encode
_decode = decoder_of(StoredLearningState, "the learning state of an item")


def encode_learning_state(learning_state: LearningState) -> bytes:
    """Write a learning state, the same bytes whatever the order in which its learners were asked."""
    return _encode(
        StoredLearningState(
            learning_state.record,
            _written(learning_state.forecasters, learning_state.stored.forecasters),
            _written(learning_state.policies, learning_state.stored.policies),
        )
    )


def decode_learning_state(data: bytes | None) -> LearningState:
    """Read a learning state, or begin one; ValueError when it is something else."""
    if data is None:
        return LearningState(StoredLearningState())
    stored = _decode(data)
    check(stored.record.waits)
    return LearningState(stored)


def learning_state_of(card: Card) -> LearningState:
    """The item's learning state, decoded when first asked for."""
    if card.learning_state is None:
        card.learning_state = decode_learning_state(card.stored_learning_state)
    learning_state: LearningState = card.learning_state
    return learning_state


def _state(learner: Any, used: dict[str, tuple[Any, Any]], written: Mapping[str, StoredLearner]) -> Any:
    found = used.get(learner.name)
    if found is None:
        stored = written.get(learner.name)
        fits = stored is not None and stored.version == learner.version
        found = used[learner.name] = (learner, learner.load(stored.state) if stored and fits else learner.fresh())
    return found[1]


def _written(used: Mapping[str, tuple[Any, Any]], written: Mapping[str, StoredLearner]) -> dict[str, StoredLearner]:
    fresh = {name: StoredLearner(learner.version, learner.dump(state)) for name, (learner, state) in used.items()}
    return dict(sorted({**written, **fresh}.items()))
