"""What a policy is: it sees an item's situation at a review and says how much to order; then it learns what happened.

Policies see periods, not clocks: a lead time of 3 means that an order decided now can be sold from the fourth
period on (0: at once). Guardrails stand outside every policy (`guardrails.py`): a policy may be wrong, not dangerous.

A review goes: `learn(state, situation, outcome)` with the period that closed and the situation as it is now, then
`decide(state, situation)` with the same situation. Every closed period is learned, once and in order; `decide`
changes nothing, so asking twice, or not at all, is the same.
"""

from collections.abc import Mapping
from typing import Any, Literal, Protocol, TypeAlias

import msgspec

from agents.forecasting.base import DemandForecast
from agents.policies.facts import DemandFacts

Role: TypeAlias = Literal["champion", "challenger", "baseline", "reference"]


class Economics(msgspec.Struct, frozen=True):
    """What one item costs and what its supplier insists on; money per unit and period."""

    holding: float
    shortage: float
    order_cost: float = 0.0
    critical_ratio: float = 0.95
    """shortage / (shortage + holding), or the service level where no shortage cost is known."""
    stock_out: Literal["lost", "backorder"] = "lost"
    review_periods: int = 1
    minimum_order: int = 1
    order_multiple: int = 1
    capacity: int | None = None
    reorder_point: int | None = None
    order_up_to: int | None = None


class PipelineOrder(msgspec.Struct, frozen=True, gc=False):
    """What is still to come of one order."""

    quantity: int
    due: float
    """Periods until it is due, as promised or expected; 0 when it is overdue."""
    age: int
    """Periods that closed since it was ordered: what was ordered at the last review is 1 old."""
    soonest: int = 0
    """Periods before it can come at all: 1 where today's deliveries are known to be all here."""


class Situation(msgspec.Struct, frozen=True):
    """What is known of an item when a decision is due."""

    item: str
    period: int
    """Counts the item's closed periods: with the item it seeds what little chance a policy may use."""
    available: int
    """On hand - allocated - backorders."""
    pipeline: tuple[PipelineOrder, ...]
    """Open orders, soonest due first."""
    lead_time: tuple[float, ...]
    """Probability of a lead time of 0, 1, 2… periods; what is missing to 1 is the chance that an order is lost."""
    forecast: DemandForecast
    """Demand of the longest protection interval: lead time + review."""
    economics: Economics
    may_order: bool = True
    """Whether a decision is due; between two reviews of a longer review period it is not."""
    likely: DemandForecast | None = None
    """Demand of the protection interval as long as it may be, where its length is random."""
    facts: DemandFacts | None = None
    """What was seen of the item's demand, over the longest protection interval; None where nobody kept it."""

    @property
    def protection(self) -> DemandForecast:
        """Demand of the protection interval, however long that turns out to be."""
        return self.forecast if self.likely is None else self.likely

    @property
    def on_order(self) -> int:
        """All that is underway."""
        return sum(order.quantity for order in self.pipeline)

    @property
    def position(self) -> int:
        """Available and on order."""
        return self.available + self.on_order


class Outcome(msgspec.Struct, frozen=True):
    """What a closed period turned out to be."""

    demand: float
    """What was asked for; where `censored`, at least this."""
    sold: float
    received: int
    censored: bool = False
    ordered: int = 0
    """What was ordered, after the guardrails, at the start of the period."""


class Advice(msgspec.Struct, frozen=True):
    """What a policy would order, before the guardrails, and the levels it steers by."""

    quantity: float
    reorder_point: int
    order_up_to: int
    safety_stock: int
    expected_cost: float | None = None
    """Over the protection interval."""
    arm: str | None = None
    """What a learned policy chose among, in words."""
    advantage: float | None = None
    """Share by which it expects to cost less than the baseline."""
    policy: str | None = None
    """Who speaks, where the policy asked is a contest of several."""
    version: int | None = None
    role: Role = "champion"
    baseline_quantity: float | None = None
    """What the baseline would have ordered in the same place."""


class Rehearsal(msgspec.Struct, frozen=True, gc=False):
    """What a period cost in shadow, where a learned policy keeps shadow inventories of itself and of simple rules."""

    own: float
    rules: Mapping[str, float]
    """By name of the rule."""


class Policy(Protocol):
    """One file each, one line in the registry; the contract tests of `tests/agents/policies` come with it.

    A policy object belongs to one shard and may hold a prior shared by its items; what it knows of one item is an
    explicit state that it makes, updates, dumps and loads.
    """

    @property
    def name(self) -> str:
        """What an item is configured with."""
        ...

    @property
    def version(self) -> int:
        """Goes up when the same state would decide otherwise."""
        ...

    def fresh(self) -> Any:
        """Make the state of an item of which nothing is known."""
        ...

    def decide(self, state: Any, situation: Situation) -> Advice:
        """Say what to order; changes nothing."""
        ...

    def quantity(self, state: Any, situation: Situation) -> float:
        """What `decide` would order, without its reasons: shadows are asked at each review."""
        ...

    def learn(self, state: Any, situation: Situation, outcome: Outcome) -> None:
        """Take in the period that closed; `situation` is how things stand after it."""
        ...

    def rehearsal(self, state: Any) -> Rehearsal | None:
        """Say what the period learned last cost in shadow; None where no such shadows are kept."""
        ...

    def dump(self, state: Any) -> bytes:
        """Write an item's state; `load` of it decides the same."""
        ...

    def load(self, data: bytes) -> Any:
        """Read an item's state; a blob that is not one raises ValueError."""
        ...

    def dump_shared(self) -> Mapping[str, bytes]:
        """Write what the shard's items share, in named parts, those changed since the last call only."""
        ...

    def load_shared(self, parts: Mapping[str, bytes]) -> None:
        """Read what the shard's items share."""
        ...
