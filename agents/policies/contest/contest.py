"""Champion, baseline and challengers on the same demand: who acts, and when the champion has to step back.

Each contestant runs its own shadow inventory with its own orders, within the guardrails, on the item's real demand and
lead times; the ledger compares what they cost. A champion that is credibly worse than the best simple rule of the
item's class falls back to that rule by itself, goes on in shadow, and comes back when it no longer costs more. A
champion whose quantity is no number is replaced at once, for that review.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from agents.policies.base import Advice, Outcome, Policy, Role, Situation
from agents.policies.chance import uniform
from agents.policies.classes import class_of
from agents.policies.contest.class_costs import ClassCosts
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
    ledger: msgspec.Raw
    """Read only when the contestants are still the same."""
    stock: list[int]
    pipeline: list[list[int]]
    """[age, contestant]"""
    drawn: list[int]
    fees: list[float]
    waiting: Outcome | None
    waited: int


RULES = "rules of "
"""What shared parts are called that say what rules cost a class."""
_decode = decoder_of(StoredContest, "a state of a contest")
_decode_ledger = decoder_of(ContestLedger, "a state of a contest: its cost ledger")


class Contest:
    """A policy made of several: it answers as the champion, or as a simple rule where the champion has fallen."""

    def __init__(
        self, champion: Policy, baseline: Policy, challengers: Sequence[Policy] = (), *, rehearses: bool = False
    ) -> None:
        """A champion that `rehearses` keeps its own shadow stock and those of all rules; else the contest does."""
        self.contestants: tuple[Policy, ...] = (champion, baseline, *challengers)
        self.name = champion.name
        self.version = champion.version
        self.labels = [f"{policy.name} {policy.version}" for policy in self.contestants]
        self.rules = self.contestants[1:]
        self._known = ClassCosts(len(self.rules))
        self._kept_here = 0 if rehearses else len(self.contestants)

    def fresh(self) -> ContestState:
        """All know nothing."""
        return ContestState([policy.fresh() for policy in self.contestants], ContestLedger.of(len(self.rules)))

    def decide(self, state: ContestState, situation: Situation) -> Advice:
        """Ask who acts, and the baseline for comparison."""
        champion, ledger, situation = self.contestants[0], state.ledger, condensed(situation)
        acting, place = champion, 0
        role: Role = "champion"
        advice: Advice | None = None if ledger.fallen else champion.decide(state.states[0], situation)
        beside = advice.baseline_quantity if advice is not None else None
        if advice is None or not math.isfinite(advice.quantity):
            place, role = 1 + ledger.rule, "baseline"
            acting, beside = self.contestants[place], None
            advice = acting.decide(state.states[place], situation)
        if beside is None:
            beside = advice.quantity if place == 1 else self.rules[0].quantity(state.states[1], situation)
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
        self._enter(state, situation, outcome)
        if self._kept_here:
            self._order(state, situation)

    def _enter(self, state: ContestState, situation: Situation, outcome: Outcome) -> None:
        """Put what the period cost each into the ledger, and what it cost the rules with the class."""
        costs: Sequence[float] = ()
        if not self._kept_here:
            rehearsed = self.contestants[0].rehearsal(state.states[0])
            if rehearsed is not None:
                costs = (rehearsed.own, *(rehearsed.rules[rule.name] for rule in self.rules))
        elif state.shadows is not None:
            costs = state.shadows.live(outcome.demand, situation.economics)
        if not costs:
            return
        kind, ledger = class_of(situation), state.ledger
        ledger.enter(costs, self._known.best(kind))
        if ledger.periods:
            self._known.learn(kind, costs[1:], ledger.costs[1] / ledger.periods)

    def _order(self, state: ContestState, situation: Situation) -> None:
        """Place the orders of all contestants in shadow."""
        way = route(situation.lead_time)
        if state.shadows is None:
            state.shadows = FewShadows.alike(situation, self._kept_here)
        elif len(state.shadows.drawn) != way.longest + 1:
            state.shadows.fit(way.longest)
        drawn, shadows = way.longest, state.shadows
        if not way.certain:
            drawn = drawn_lead_time(situation.lead_time, uniform(situation.item, situation.period, "lead time"))
        orders = [0] * len(shadows.stock)
        if situation.may_order:
            for number, (policy, learned) in enumerate(zip(self.contestants, state.states, strict=True)):
                own = shadows.own(situation, number)
                orders[number] = min(admit(policy.quantity(learned, own), own), MOST)
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
        ledger = msgspec.Raw(msgspec.msgpack.encode(state.ledger))
        stored = StoredContest(self.labels, states, ledger, [], [], [], [], state.waiting, state.waited)
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
        kept_here, ledger = self._kept_here, _decode_ledger(stored.ledger)
        units = [*stored.stock, *stored.drawn, *(unit for row in stored.pipeline for unit in row)]
        if (
            len(stored.states) != len(self.contestants)
            or not ledger.fits(len(self.rules))
            or {len(stored.stock), *map(len, stored.pipeline)} != {kept_here if stored.drawn else 0}
            or len(stored.fees) not in {0, len(stored.stock)}
            or len(stored.pipeline) != len(stored.drawn)
            or not all(map(math.isfinite, stored.fees))
            or any(abs(unit) >= 2**53 for unit in units)
        ):
            raise ValueError("not a state of a contest: its parts do not fit together")
        kept = None
        if stored.drawn:
            pipelines = [[row[number] for row in stored.pipeline] for number in range(kept_here)]
            kept = FewShadows(stored.stock, pipelines, stored.drawn, stored.fees)
        states = [policy.load(learned) for policy, learned in zip(self.contestants, stored.states, strict=True)]
        return ContestState(states, ledger, kept, stored.waiting, stored.waited)

    def _rescued(self, stored: StoredContest) -> ContestState:
        """Keep the states of contestants that still take part."""
        state, known = self.fresh(), dict(zip(stored.contestants, stored.states, strict=False))
        for number, (policy, label) in enumerate(zip(self.contestants, self.labels, strict=True)):
            if label in known:
                state.states[number] = policy.load(known[label])
        return state

    def dump_shared(self) -> Mapping[str, bytes]:
        """What each contestant shares, under its name, and what rules cost each class."""
        known = {f"{RULES}{kind}": part for kind, part in self._known.dump().items()}
        return known | {f"{p.name} {key}": part for p in self.contestants for key, part in p.dump_shared().items()}

    def load_shared(self, parts: Mapping[str, bytes]) -> None:
        """Hand each contestant its parts."""
        for policy in self.contestants:
            policy.load_shared(_named(parts, f"{policy.name} "))
        self._known.load(_named(parts, RULES))


def _named(parts: Mapping[str, bytes], start: str) -> dict[str, bytes]:
    """The parts whose names begin so, without that beginning."""
    return {key.removeprefix(start): part for key, part in parts.items() if key.startswith(start)}


def _both(first: Outcome, second: Outcome) -> Outcome:
    """Two stretches of time as one."""
    return Outcome(
        first.demand + second.demand,
        first.sold + second.sold,
        first.received + second.received,
        first.censored or second.censored,
        first.ordered + second.ordered,
    )
