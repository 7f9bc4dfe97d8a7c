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
import numpy as np

from agents.policies.base import Advice, Outcome, Policy, Situation, Underway
from agents.policies.chance import uniform
from agents.policies.guardrails import guard
from agents.policies.ledger import Ledger
from agents.policies.projection import route
from agents.policies.shadow import LOST, Shadows, drawn_lead_time


class State(msgspec.Struct):
    """What is known of one item: each contestant's mind, their shadows in the same order, and the ledger."""

    minds: list[Any]
    ledger: Ledger
    shadows: Shadows | None = None


class Image(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """A state as it is stored."""

    contestants: list[str]
    minds: list[bytes]
    ledger: Ledger
    stock: list[int]
    pipeline: list[list[int]]
    drawn: list[int]
    fees: list[float]


class Contest:
    """A policy made of several: it answers as the champion, or as the baseline where the champion has fallen."""

    def __init__(self, champion: Policy, baseline: Policy, challengers: Sequence[Policy] = ()) -> None:
        self.contestants: tuple[Policy, ...] = (champion, baseline, *challengers)
        self.name = champion.name
        self.version = champion.version
        self.labels = [f"{policy.name} {policy.version}" for policy in self.contestants]

    def fresh(self) -> State:
        """All know nothing."""
        return State([policy.fresh() for policy in self.contestants], Ledger([0.0] * len(self.contestants)))

    def decide(self, state: State, situation: Situation) -> Advice:
        """Ask who acts, and the baseline for comparison."""
        champion, baseline = self.contestants[:2]
        beside = baseline.decide(state.minds[1], situation)
        advice = beside if state.ledger.fallen else champion.decide(state.minds[0], situation)
        acting, role = (baseline, "baseline") if state.ledger.fallen else (champion, "champion")
        if not math.isfinite(advice.quantity):
            advice, acting, role = beside, baseline, "baseline"
        return msgspec.structs.replace(
            advice,
            policy=acting.name,
            version=acting.version,
            role=role,
            baseline_quantity=beside.quantity,
            advantage=state.ledger.advantage if state.ledger.periods else advice.advantage,
        )

    def learn(self, state: State, situation: Situation, outcome: Outcome) -> None:
        """Let all live through the period, learn, and order for their shadows."""
        if state.shadows is None:
            state.shadows = _beginning(situation, len(self.contestants))
        else:
            state.ledger.enter(state.shadows.live(outcome.demand, situation.economics).tolist())
        for policy, mind in zip(self.contestants, state.minds, strict=True):
            policy.learn(mind, situation, outcome)
        self._order(state, state.shadows, situation)

    def _order(self, state: State, shadows: Shadows, situation: Situation) -> None:
        """Place every contestant's order for its own shelf."""
        way = route(situation.lead_time)
        shadows.fit(way.longest)
        drawn = way.longest
        if not way.certain:
            drawn = drawn_lead_time(situation.lead_time, uniform(situation.item, situation.period, "lead time"))
        orders = np.zeros(len(self.contestants), dtype=np.int32)
        if situation.may_order:
            for number, (policy, mind) in enumerate(zip(self.contestants, state.minds, strict=True)):
                own = _own(situation, shadows, number, way.longest)
                orders[number] = min(guard(policy.decide(mind, own).quantity, own).quantity, 2**31 - 1)
        shadows.place(orders, drawn, situation.economics.order_cost)

    def costs(self, state: State) -> Mapping[str, float]:
        """What each contestant has cost, or would have cost, since the beginning."""
        return {policy.name: cost for policy, cost in zip(self.contestants, state.ledger.costs, strict=True)}

    def dump(self, state: State) -> bytes:
        """Write an item's state."""
        shadows = state.shadows
        minds = [policy.dump(mind) for policy, mind in zip(self.contestants, state.minds, strict=True)]
        lists: tuple[Any, ...] = ([], [], [], [])
        if shadows is not None:
            lists = (shadows.stock.tolist(), shadows.pipeline.tolist(), shadows.drawn, shadows.fees.tolist())
        return msgspec.msgpack.encode(Image(self.labels, minds, state.ledger, *lists))

    def load(self, data: bytes) -> State:
        """Read an item's state; contestants that have changed since begin anew, and the ledger with them."""
        try:
            image = msgspec.msgpack.decode(data, type=Image)
        except msgspec.MsgspecError as error:
            raise ValueError(f"not a state of a contest: {error}") from error
        if image.contestants != self.labels:
            return self._rescued(image)
        count = len(self.contestants)
        sizes = {len(image.minds), len(image.ledger.costs), *map(len, image.pipeline)}
        shelves = {len(image.stock), len(image.fees)}
        numbers = [*image.ledger.costs, *image.fees, image.ledger.mean, image.ledger.square, image.ledger.underway]
        units = [*image.stock, *image.drawn, *(unit for row in image.pipeline for unit in row)]
        if (
            sizes != {count}
            or shelves != {count if image.drawn else 0}
            or len(image.pipeline) != len(image.drawn)
            or not all(map(math.isfinite, numbers))
            or min(image.ledger.periods, image.ledger.blocks) < 0
            or any(abs(unit) >= 2**31 for unit in units)
        ):
            raise ValueError("not a state of a contest: its parts do not fit together")
        shadows = None
        if image.drawn:
            stock, pipeline = np.asarray(image.stock, dtype=np.int32), np.asarray(image.pipeline, dtype=np.int32)
            shadows = Shadows(stock, pipeline, image.drawn, np.asarray(image.fees, dtype=float))
        minds = [policy.load(mind) for policy, mind in zip(self.contestants, image.minds, strict=True)]
        return State(minds, image.ledger, shadows)

    def _rescued(self, image: Image) -> State:
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


def _beginning(situation: Situation, contestants: int) -> Shadows:
    """All begin where the item stands."""
    longest = route(situation.lead_time).longest
    pipeline = np.zeros((longest + 1, contestants), dtype=np.int32)
    drawn = [LOST] * (longest + 1)
    for order in situation.pipeline:
        row = min(max(order.age - 1, 0), longest)
        pipeline[row] += min(order.quantity, 2**30)
        drawn[row] = min(row + 1 + int(order.due), longest)
    stock = np.full(contestants, max(min(situation.available, 2**30), -(2**30)), dtype=np.int32)
    return Shadows(stock, pipeline, drawn, np.zeros(contestants))


def _own(situation: Situation, shadows: Shadows, number: int, longest: int) -> Situation:
    """The situation as it would be, had this contestant acted all along."""
    column = shadows.pipeline[:, number].tolist()
    underway = tuple(
        Underway(units, float(max(longest - row - 1, 0)), row + 1)
        for row, units in reversed(list(enumerate(column)))
        if units > 0
    )
    return Situation(
        situation.item,
        situation.period,
        int(shadows.stock[number]),
        underway,
        situation.lead_time,
        situation.forecast,
        situation.economics,
        situation.may_order,
        situation.likely,
    )
