"""Champion, baseline and challengers on the same demand: who acts, and when the champion has to step back.

Each contestant runs its own shadow inventory with its own orders, within the guardrails, on the item's real demand and
lead times; the ledger compares what they cost. A champion that is credibly worse than the baseline falls back by
itself, goes on in shadow, and comes back when it no longer costs more. One that says something that is no number is
replaced at once, for that review.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from agents.policies.base import Advice, Outcome, Policy, Role, Situation
from agents.policies.chance import uniform
from agents.policies.contest.cost_ledger import ContestLedger
from agents.policies.guardrails import admit
from agents.policies.projection.projection import route
from agents.policies.shadow.shadows import drawn_lead_time
from agents.policies.shadow.shelves import MOST, Shelves
from agents.policies.spans import condensed, span_of
from schemas.stored import decoder_of


class ContestState(msgspec.Struct):
    """What is known of one item: each contestant's mind, their shelves in the same order, and the ledger."""

    minds: list[Any]
    ledger: ContestLedger
    shelves: Shelves | None = None
    waiting: Outcome | None = None
    """Of a span that is not full yet."""
    waited: int = 0
    """Its periods so far."""


class StoredContest(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """A state as it is stored."""

    contestants: list[str]
    minds: list[bytes]
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
        """A champion that `rehearses` tells its own and the baseline's costs; else the contest keeps both shelves."""
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
            advice = champion.decide(state.minds[0], situation)
            if math.isfinite(advice.quantity):
                acting, role = champion, "champion"
        if advice is None or acting is baseline:
            advice = baseline.decide(state.minds[1], situation)
            beside: float | None = advice.quantity
        elif (beside := advice.baseline_quantity if self._first else None) is None:
            beside = baseline.quantity(state.minds[1], situation)
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
        for policy, mind in zip(self.contestants, state.minds, strict=True):
            policy.learn(mind, situation, outcome)
        told = self.contestants[0].rehearsal(state.minds[0])
        if state.shelves is None:
            state.shelves = Shelves.alike(situation, len(self.contestants) - self._first)
        else:
            lived = state.shelves.live(outcome.demand if told is None else told.demand, situation.economics)
            if self._first == 0:
                state.ledger.enter(lived)
            elif told is not None:
                state.ledger.enter([told.own, told.baseline, *lived])
        self._order(state, state.shelves, situation)

    def _order(self, state: ContestState, shelves: Shelves, situation: Situation) -> None:
        """Place the orders of those whose shelves the contest keeps."""
        way, first = route(situation.lead_time), self._first
        if len(shelves.drawn) != way.longest + 1:
            shelves.fit(way.longest)
        drawn = way.longest
        if not way.certain:
            drawn = drawn_lead_time(situation.lead_time, uniform(situation.item, situation.period, "lead time"))
        orders = [0] * len(shelves.stock)
        if situation.may_order:
            for number in range(len(orders)):
                own = shelves.own(situation, number)
                wanted = self.contestants[first + number].quantity(state.minds[first + number], own)
                orders[number] = min(admit(wanted, own), MOST)
        shelves.place(orders, drawn, situation.economics.order_cost)

    def rehearsal(self, state: ContestState) -> None:
        """Keep no shadows for others."""

    def costs(self, state: ContestState) -> Mapping[str, float]:
        """What each contestant has cost, or would have cost, since the beginning."""
        return {policy.name: cost for policy, cost in zip(self.contestants, state.ledger.costs, strict=True)}

    def dump(self, state: ContestState) -> bytes:
        """Write an item's state."""
        shelves = state.shelves
        minds = [policy.dump(mind) for policy, mind in zip(self.contestants, state.minds, strict=True)]
        image = StoredContest(self.labels, minds, state.ledger, [], [], [], [], state.waiting, state.waited)
        if shelves is not None:
            image.stock, image.drawn = shelves.stock, shelves.drawn
            image.pipeline = [[own[age] for own in shelves.pipelines] for age in range(len(shelves.drawn))]
            image.fees = shelves.fees if any(shelves.fees) else []
        return msgspec.msgpack.encode(image)

    def load(self, data: bytes) -> ContestState:
        """Read an item's state; contestants that have changed since begin anew, and the ledger with them."""
        image = _decode(data)
        if image.contestants != self.labels:
            return self._rescued(image)
        count, shelves = len(self.contestants), len(self.contestants) - self._first
        sizes = {len(image.minds), len(image.ledger.costs)}
        numbers = [*image.ledger.costs, *image.fees, image.ledger.mean, image.ledger.square, image.ledger.underway]
        units = [*image.stock, *image.drawn, *(unit for row in image.pipeline for unit in row)]
        if (
            sizes != {count}
            or {len(image.stock), *map(len, image.pipeline)} != {shelves if image.drawn else 0}
            or len(image.fees) not in {0, len(image.stock)}
            or len(image.pipeline) != len(image.drawn)
            or not all(map(math.isfinite, numbers))
            or min(image.ledger.periods, image.ledger.blocks) < 0
            or any(abs(unit) >= 2**53 for unit in units)
        ):
            raise ValueError("not a state of a contest: its parts do not fit together")
        kept = None
        if image.drawn:
            pipelines = [[row[number] for row in image.pipeline] for number in range(shelves)]
            kept = Shelves(image.stock, pipelines, image.drawn, image.fees)
        minds = [policy.load(mind) for policy, mind in zip(self.contestants, image.minds, strict=True)]
        return ContestState(minds, image.ledger, kept, image.waiting, image.waited)

    def _rescued(self, image: StoredContest) -> ContestState:
        """Keep the minds of those that still take part."""
        state, known = self.fresh(), dict(zip(image.contestants, image.minds, strict=False))
        for number, (policy, label) in enumerate(zip(self.contestants, self.labels, strict=True)):
            if label in known:
                state.minds[number] = policy.load(known[label])
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
