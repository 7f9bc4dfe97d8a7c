"""Champion, baseline and challengers on the same demand: who acts, and when the champion has to step back.

Each contestant runs its own shadow inventory with its own orders, within the guardrails, on the item's real demand and
lead times; the ledger compares what they cost. A champion that is credibly worse than the baseline falls back by
itself, goes on in shadow, and comes back when it no longer costs more. A champion whose quantity is
no number is replaced at once, for that review.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from agents.policies.base import Advice, Outcome, Policy, Role, Situation
from agents.policies.chance import uniform
from agents.policies.contest.cost_ledger import ContestLedger
from agents.policies.guardrails import admit
from agents.policies.projection.route import route
from agents.policies.shadow.few_shadows import MOST, FewShadows
from agents.policies.shadow.shadows import drawn_lead_time
from agents.policies.spans import condensed, span_of
from schemas.stored import decoder_of


class ContestState(msgspec.Struct):
    """What is known of one item: states and shadow inventories of the contestants, in their order, and the ledger."""

    states: list[Any]
    ledger: ContestLedger
    shadows: FewShadows | None = None
    waiting: Outcome | None = None
    """Of a span that is not full yet."""
    waited: int = 0
    """Its periods so far."""


class StoredContest(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """A state as it is stored."""

    contestants: list[str]
    states: list[bytes]
    ledger: ContestLedger
    stock: list[int]
    pipeline: list[list[int]]
    """[age, contestant]"""
    drawn: list[int]
    fees: list[float]
    waiting: Outcome | None
    waited: int


_decode = decoder_of(StoredContest, "a state of a contest")


class Contest:
    """A policy made of several: it answers as the champion, or as the baseline where the champion has fallen."""

    def __init__(
        self, champion: Policy, baseline: Policy, challengers: Sequence[Policy] = (), *, rehearses: bool = False
    ) -> None:
        """A champion that `rehearses` keeps its own shadow stock and the baseline's; else the contest keeps both."""
        self.contestants: tuple[Policy, ...] = (champion, baseline, *challengers)
        self.name = champion.name
        self.version = champion.version
        self.labels = [f"{policy.name} {policy.version}" for policy in self.contestants]
        self._first = 2 if rehearses else 0

    def fresh(self) -> ContestState:
        """All know nothing."""
        return ContestState(
            [policy.fresh() for policy in self.contestants], ContestLedger([0.0] * len(self.contestants))
        )

    def decide(self, state: ContestState, situation: Situation) -> Advice:
        """Ask who acts, and the baseline for comparison."""
        champion, baseline = self.contestants[:2]
        situation = condensed(situation)
        acting: Policy = baseline
        role: Role = "baseline"
        advice: Advice | None = None
        if not state.ledger.fallen:
            advice = champion.decide(state.states[0], situation)
            if math.isfinite(advice.quantity):
                acting, role = champion, "champion"
        if advice is None or acting is baseline:
            advice = baseline.decide(state.states[1], situation)
            beside: float | None = advice.quantity
        elif (beside := advice.baseline_quantity if self._first else None) is None:
            beside = baseline.quantity(state.states[1], situation)
        return Advice(
            advice.quantity,
            advice.reorder_point,
            advice.order_up_to,
            advice.safety_stock,
            advice.expected_cost,
            advice.arm,
            state.ledger.advantage if state.ledger.periods else advice.advantage,
            acting.name,
            acting.version,
            role,
            beside,
        )

    def quantity(self, state: ContestState, situation: Situation) -> float:
        """What `decide` would order."""
        return self.decide(state, situation).quantity

    def learn(self, state: ContestState, situation: Situation, outcome: Outcome) -> None:
        """Let all live through the period, learn, and order for their shadows; where waits are long, span by span."""
        span = span_of(situation.lead_time)
        if span > 1 or state.waited:
            outcome = outcome if state.waiting is None else _both(state.waiting, outcome)
            state.waiting, state.waited = outcome, state.waited + 1
            if state.waited < span:
                return
            state.waiting, state.waited, situation = None, 0, condensed(situation)
        for policy, learned in zip(self.contestants, state.states, strict=True):
            policy.learn(learned, situation, outcome)
        rehearsed = self.contestants[0].rehearsal(state.states[0])
        if state.shadows is None:
            state.shadows = FewShadows.alike(situation, len(self.contestants) - self._first)
        else:
            lived = state.shadows.live(outcome.demand if rehearsed is None else rehearsed.demand, situation.economics)
            if self._first == 0:
                state.ledger.enter(lived)
            elif rehearsed is not None:
                state.ledger.enter([rehearsed.own, rehearsed.baseline, *lived])
        self._order(state, state.shadows, situation)

    def _order(self, state: ContestState, shadows: FewShadows, situation: Situation) -> None:
        """Place the orders of those whose shadow inventories the contest keeps."""
        way, first = route(situation.lead_time), self._first
        if len(shadows.drawn) != way.longest + 1:
            shadows.fit(way.longest)
        drawn = way.longest
        if not way.certain:
            drawn = drawn_lead_time(situation.lead_time, uniform(situation.item, situation.period, "lead time"))
        orders = [0] * len(shadows.stock)
        if situation.may_order:
            for number in range(len(orders)):
                own = shadows.own(situation, number)
                wanted = self.contestants[first + number].quantity(state.states[first + number], own)
                orders[number] = min(admit(wanted, own), MOST)
        shadows.place(orders, drawn, situation.economics.order_cost)

    def rehearsal(self, state: ContestState) -> None:
        """Keep no shadows for others."""

    def costs(self, state: ContestState) -> Mapping[str, float]:
        """What each contestant has cost, or would have cost, since the beginning."""
        return {policy.name: cost for policy, cost in zip(self.contestants, state.ledger.costs, strict=True)}

    def dump(self, state: ContestState) -> bytes:
        """Write an item's state."""
        shadows = state.shadows
        states = [policy.dump(learned) for policy, learned in zip(self.contestants, state.states, strict=True)]
        stored = StoredContest(self.labels, states, state.ledger, [], [], [], [], state.waiting, state.waited)
        if shadows is not None:
            stored.stock, stored.drawn = shadows.stock, shadows.drawn
            stored.pipeline = [[own[age] for own in shadows.pipelines] for age in range(len(shadows.drawn))]
            stored.fees = shadows.fees if any(shadows.fees) else []
        return msgspec.msgpack.encode(stored)

    def load(self, data: bytes) -> ContestState:
        """Read an item's state; contestants that have changed since begin anew, and the ledger with them."""
        stored = _decode(data)
        if stored.contestants != self.labels:
            return self._rescued(stored)
        count, kept_here = len(self.contestants), len(self.contestants) - self._first
        sizes = {len(stored.states), len(stored.ledger.costs)}
        numbers = [*stored.ledger.costs, *stored.fees, stored.ledger.mean, stored.ledger.square, stored.ledger.underway]
        units = [*stored.stock, *stored.drawn, *(unit for row in stored.pipeline for unit in row)]
        if (
            sizes != {count}
            or {len(stored.stock), *map(len, stored.pipeline)} != {kept_here if stored.drawn else 0}
            or len(stored.fees) not in {0, len(stored.stock)}
            or len(stored.pipeline) != len(stored.drawn)
            or not all(map(math.isfinite, numbers))
            or min(stored.ledger.periods, stored.ledger.blocks) < 0
            or any(abs(unit) >= 2**53 for unit in units)
        ):
            raise ValueError("not a state of a contest: its parts do not fit together")
        kept = None
        if stored.drawn:
            pipelines = [[row[number] for row in stored.pipeline] for number in range(kept_here)]
            kept = FewShadows(stored.stock, pipelines, stored.drawn, stored.fees)
        states = [policy.load(learned) for policy, learned in zip(self.contestants, stored.states, strict=True)]
        return ContestState(states, stored.ledger, kept, stored.waiting, stored.waited)

    def _rescued(self, stored: StoredContest) -> ContestState:
        """Keep the states of contestants that still take part."""
        state, known = self.fresh(), dict(zip(stored.contestants, stored.states, strict=False))
        for number, (policy, label) in enumerate(zip(self.contestants, self.labels, strict=True)):
            if label in known:
                state.states[number] = policy.load(known[label])
        return state

    def dump_shared(self) -> Mapping[str, bytes]:
        """What each contestant shares, under its name."""
        return {f"{p.name} {key}": part for p in self.contestants for key, part in p.dump_shared().items()}

    def load_shared(self, parts: Mapping[str, bytes]) -> None:
        """Hand each contestant its parts."""
        for policy in self.contestants:
            start = f"{policy.name} "
            policy.load_shared({key[len(start) :]: part for key, part in parts.items() if key.startswith(start)})


def _both(first: Outcome, second: Outcome) -> Outcome:
    """Two stretches of time as one."""
    return Outcome(
        first.demand + second.demand,
        first.sold + second.sold,
        first.received + second.received,
        first.censored or second.censored,
        first.ordered + second.ordered,
    )
