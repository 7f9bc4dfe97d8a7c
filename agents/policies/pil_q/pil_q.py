"""`pil-q`, the learned champion: Q-learning over families of rules, with full feedback from shadow inventories.

Every arm (`arms.py`) keeps a shadow inventory that meets the item's real demand, lead times, minimums and multiples.
The cheaper an arm is expected to be (`worth.py`), the more it has to say in what is ordered (`shares.py`).

Demand that a stock-out hid is replaced by its expectation given what was sold, for all arms alike.
"""

import math
from collections.abc import Mapping
from typing import ClassVar, NamedTuple

import msgspec
import numpy as np

from agents.kernel.compiled import Bytes, Numbers, Records
from agents.policies.base import Advice, Economics, Outcome, Rehearsal, Situation
from agents.policies.chance import uniform
from agents.policies.classes import class_of
from agents.policies.pil_q.arms import ANALYTIC, ARMS, LOTS, PLAIN, STRETCHES, Arm, LevelArm, Menu
from agents.policies.pil_q.beliefs import SOURCES
from agents.policies.pil_q.kernel import Reply, live, look, order
from agents.policies.pil_q.pool import Pool
from agents.policies.pil_q.state import SHADOWS, PilQState, decode_state, encode_state
from agents.policies.projection.outlook import FORECAST, numbers_of
from agents.policies.projection.route import route
from agents.policies.rules.base_stock import order_up_to
from agents.policies.rules.capped_base_stock import capped
from agents.policies.rules.lots import lots
from agents.policies.rules.pil import Projected, advise, levels, open_orders
from agents.policies.rules.reorder_level import economic_lot, triggered
from agents.policies.shadow.shadows import drawn_lead_time
from agents.policies.terms import terms_of

ROUNDING = 1e-9
"""Levels are rounded up, but not for an error of calculation."""
NO_LOTS = np.zeros((0, 3))


class Sight(NamedTuple):
    """How a source sees the item: the stock left and the demand to cover, and demand of the protection interval."""

    left: float
    left_variance: float
    mean: float
    variance: float
    interval_mean: float
    interval_variance: float
    quantile: float


class Inputs(NamedTuple):
    """A situation as the kernel reads it."""

    terms: Records
    forecasts: Records
    """Of the longest protection interval, and of the likely one where that is another."""
    path: Numbers
    lead_time: Numbers


class PilQ:
    """Policy-parameter Q-learning."""

    name: ClassVar[str] = "pil-q"
    version: ClassVar[int] = 5

    def __init__(self) -> None:
        self.pool = Pool()
        self._seen: tuple[Situation, Inputs] | None = None
        """The last situation: it is learned from, then decided in."""

    def fresh(self) -> PilQState:
        """Know nothing: what analysis holds best acts until arms have shown what they are worth."""
        return PilQState()

    def decide(self, state: PilQState, situation: Situation) -> Advice:
        """Order what arms want together."""
        menu, may = menu_of(situation.economics), situation.may_order
        reply, sources, _ = self.ask(state, situation)
        arm, words = menu.arms[reply.place], menu.words[reply.place]
        if reply.heard > 1:
            words = f"{words} ({reply.share:.0%} of {reply.heard} arms)"
        if menu is LOTS or (reply.heard == 1 and isinstance(arm, LevelArm)):
            advice = alone(situation, arm, sources)
            baseline = alone(situation, menu.arms[ANALYTIC], sources).quantity
        else:
            advice, baseline = Advice(*reply[4:]), reply.baseline
        return msgspec.structs.replace(
            advice,
            quantity=advice.quantity if may else 0.0,
            arm=words,
            advantage=float(state.item["advantage"][0]),
            baseline_quantity=baseline if may else 0.0,
        )

    def quantity(self, state: PilQState, situation: Situation) -> float:
        """What `decide` would order."""
        return self.decide(state, situation).quantity

    def learn(self, state: PilQState, situation: Situation, outcome: Outcome) -> None:
        """Let every arm live through the period, and order anew."""
        kind, menu, inputs = class_of(situation), menu_of(situation.economics), self._inputs(situation)
        pools, costs, may = self.pool.of(kind), np.empty(SHADOWS), situation.may_order
        demand, hidden, table = float(outcome.demand), outcome.censored, NO_LOTS
        if state.item["lots"][0] != (menu is LOTS):
            state.begin(lots=menu is LOTS)
        terms, lead_time = inputs.terms, inputs.lead_time
        judged = live(state.item, state.units, state.drawn, terms, lead_time, pools, costs, demand, hidden)
        state.rehearsal = None
        if judged:
            self.pool.changed(kind, judged)
            paid = {name: float(costs[place]) for name, place in menu.rules.items()}
            state.rehearsal = Rehearsal(float(costs[ARMS]), paid)
        drawn, certain = route(situation.lead_time)
        state.make_room(situation, drawn)
        if not certain:
            drawn = drawn_lead_time(situation.lead_time, uniform(situation.item, situation.period, "lead time"))
        if menu is LOTS:
            table = lots_of(self.ask(state, situation)[1], situation.economics)
        order(state.item, state.units, state.drawn, menu.table, *inputs, pools, table, may, drawn)

    def ask(self, state: PilQState, situation: Situation) -> tuple[Reply, Numbers, Bytes]:
        """Ask arms about the item as it stands: what they say, `Sight` by source, and how much each has to say."""
        found, parts = np.empty((SOURCES, len(Sight._fields))), np.empty(ARMS, np.uint8)
        orders, available = open_orders(situation), float(situation.available)
        table, inputs = menu_of(situation.economics).table, self._inputs(situation)
        return look(state.item, table, *inputs, orders, available, found, parts), found, parts

    def _inputs(self, situation: Situation) -> Inputs:
        if self._seen is None or self._seen[0] is not situation:
            self._seen = situation, inputs_of(situation)
        return self._seen[1]

    def rehearsal(self, state: PilQState) -> Rehearsal | None:
        """Say what arms together, and those that are simple rules, have cost in shadow."""
        return state.rehearsal

    def dump(self, state: PilQState) -> bytes:
        """Write an item's state."""
        return encode_state(state, self.version)

    def load(self, data: bytes) -> PilQState:
        """Read an item's state."""
        return decode_state(data, self.version)

    def dump_shared(self) -> Mapping[str, bytes]:
        """Write the prior of each kind of item that has changed."""
        return {f"{self.version} {kind}": part for kind, part in self.pool.dump().items()}

    def load_shared(self, parts: Mapping[str, bytes]) -> None:
        """Read the priors; those of another version are of other arms."""
        ours = f"{self.version} "
        self.pool.load({kind.removeprefix(ours): part for kind, part in parts.items() if kind.startswith(ours)})


def menu_of(terms: Economics) -> Menu:
    """The arms for these costs."""
    return LOTS if terms.order_cost > 0.0 else PLAIN


def inputs_of(situation: Situation) -> Inputs:
    """A situation as the kernel reads it."""
    forecast, likely = situation.forecast, situation.likely
    numbers = numbers_of(forecast) if likely is None else (*numbers_of(forecast), *numbers_of(likely))
    return Inputs(
        terms_of(situation.economics),
        np.array(numbers, np.float64).view(FORECAST),
        np.array(forecast.path, np.float64),
        np.array(situation.lead_time, np.float64),
    )


def alone(situation: Situation, arm: Arm, sources: Numbers) -> Advice:
    """What an arm would order that has all the say."""
    said = Sight(*sources[arm.source].tolist())
    if isinstance(arm, LevelArm):
        return filled_up(situation, said, arm)
    return advise(situation, levels(Projected(*said[:4]), situation.economics, arm.shift, arm.stretch))


def lots_of(sources: Numbers, terms: Economics) -> Numbers:
    """What arms order by where an order costs something (`Beliefs.lots`).

    How uncertain the stock left is differs little between stocks, and lots are worked out once for all.
    """
    review = max(1, terms.review_periods)
    found = [
        (at.low, at.high, left_variance)
        for _, left_variance, mean, variance, *_ in sources.tolist()
        for at in lots(mean / review, variance / review, left_variance, terms, STRETCHES)
    ]
    return np.array(found)


def filled_up(situation: Situation, seen: Sight, arm: LevelArm) -> Advice:
    """What an arm of the family of levels orders for the item itself."""
    terms, span = situation.economics, max(situation.protection.horizon, 1.0)
    level = arm.usual * seen.interval_mean + arm.safety * (seen.quantile - seen.interval_mean)
    if arm.lots:
        low = math.ceil(level - ROUNDING) if terms.reorder_point is None else terms.reorder_point
        high = low + math.ceil(arm.lots * economic_lot(seen.interval_mean / span, terms))
        advice = triggered(situation, low, high if terms.order_up_to is None else terms.order_up_to)
    else:
        advice = order_up_to(situation, level)
    if arm.limit < math.inf and terms.stock_out == "lost" and terms.order_up_to is None:
        share = max(1, terms.review_periods) / span
        advice = capped(advice, share, seen.interval_mean, seen.interval_variance, arm.limit)
    return advice
