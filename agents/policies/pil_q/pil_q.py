"""`pil-q`, the learned champion: Q-learning over the parameters of PIL, with full feedback from shadow inventories.

Every arm (`arms.py`) keeps a shadow inventory that meets the item's real demand, lead times, minimums and multiples.
Q of an arm is its cost a period, Q ← Q + α (cost − Q); the arm that acts is the cheapest one after a prior, which
says that the analytic rule is good, and what arms were worth to the shard's other items of the same kind.

Demand that a stock-out hid is replaced by its expectation given what was sold, for all arms alike.
"""

import math
from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from agents.policies.arrays import Floats
from agents.policies.base import Advice, Economics, Outcome, Rehearsal, Situation
from agents.policies.pil_q.arms import ARMS, LOTS, PLAIN, Menu
from agents.policies.pil_q.averages import Averages
from agents.policies.pil_q.counterfactual import begin, order, outlook_of
from agents.policies.pil_q.hidden_demand import uncensored
from agents.policies.pil_q.pool import Pool
from agents.policies.pil_q.state import PilQState, decode_state, encode_state
from agents.policies.projection.arrivals import Arrivals, expected_arrivals
from agents.policies.projection.route import Route, route
from agents.policies.rules.levels import safety_factor
from agents.policies.rules.pil import Levels, advise, levels

FLOOR = 1.0 / 2000.0
"""Smallest step: the past fades over about so many periods."""
TRUST = 120.0
"""Weight of the prior, in expected stock-outs.

Stock-outs show which arm is better. The dearer they are, the rarer: about one in 1/(1 − critical ratio) periods.
"""
TRUST_POOL = 1000.0
"""Item-periods of other items after which the pool counts as much as analysis."""
RECONSIDER, SETTLE = 4, 32
"""The arm is chosen anew every so many periods; every period until so many were seen."""
TAIL, HANDICAP = 1.5, 0.1
"""Where the safety factor is above the first, what counts is the tail of demand, of which a forecast knows more than an
item's moments: these are expected to cost this share more for each unit above."""


class PilQ:
    """Policy-parameter Q-learning."""

    name: ClassVar[str] = "pil-q"
    version: ClassVar[int] = 3

    def __init__(self) -> None:
        self.pool = Pool(ARMS)

    def fresh(self) -> PilQState:
        """Know nothing: the analytic rule acts until arms have shown what they are worth."""
        return PilQState(Averages())

    def decide(self, state: PilQState, situation: Situation) -> Advice:
        """Order as the cheapest arm would."""
        menu, way, arrivals = menu_of(situation.economics), *_way(situation)
        arm = menu.reference if state.arm is None else state.arm
        analytic = at = _levels(state, situation, way, arrivals, menu.arms[menu.reference])
        if arm != menu.reference:
            at = _levels(state, situation, way, arrivals, menu.arms[arm])
        baseline = analytic.quantity if situation.may_order else 0.0
        return advise(situation, at, menu.words(arm), state.advantage, baseline)

    def quantity(self, state: PilQState, situation: Situation) -> float:
        """What `decide` would order."""
        menu = menu_of(situation.economics)
        arm = menu.reference if state.arm is None else state.arm
        at = _levels(state, situation, *_way(situation), menu.arms[arm])
        return at.quantity if situation.may_order else 0.0

    def learn(self, state: PilQState, situation: Situation, outcome: Outcome) -> None:
        """Let every arm live through the period, and order anew."""
        terms, way = situation.economics, route(situation.lead_time)
        menu = menu_of(terms)
        demand = uncensored(state.averages, outcome)
        if state.lots != (menu is LOTS):
            state.lots, state.shadows, state.learned, state.costs = menu is LOTS, None, 0, np.zeros(ARMS)
            state.arm = None
        state.rehearsal = None
        if state.shadows is not None:
            self._judge(state, situation, menu, demand, state.shadows.live(demand, terms))
        state.averages.learn(demand, state.expected)
        state.expected = situation.forecast.path[0] if situation.forecast.path else None
        followed = menu.followed_by(menu.reference if state.arm is None else state.arm)
        if state.shadows is None:
            state.shadows, state.lived = begin(state.averages, situation, way, followed), 0
        order(state.shadows, state.averages, situation, way, followed)

        if state.arm is None or state.averages.periods % RECONSIDER == 0 or state.averages.periods < SETTLE:
            worth = self._worth(state, situation, menu)
            state.arm = int(worth.argmin())
            state.advantage = float(worth[menu.reference] - worth[state.arm])

    def rehearsal(self, state: PilQState) -> Rehearsal | None:
        """Say what the acting arm and the analytic rule have cost in shadow."""
        return state.rehearsal

    def _judge(self, state: PilQState, situation: Situation, menu: Menu, demand: float, costs: Floats) -> None:
        """Q ← Q + α (cost − Q), once the shadows no longer remember how they began."""
        state.lived += 1
        if state.lived <= 2 * len(situation.lead_time) - 2:
            return
        state.rehearsal = Rehearsal(demand, float(costs[ARMS]), float(costs[menu.reference]))
        state.learned += 1
        costs = costs[:ARMS] - state.costs
        costs *= max(1.0 / state.learned, FLOOR)
        state.costs += costs
        if state.learned % self.pool.interval == 0:
            self.pool.learn(_kind(state, situation), _relative(state.costs, menu), self.pool.interval)

    def _worth(self, state: PilQState, situation: Situation, menu: Menu) -> Floats:
        """Expected cost of each arm beyond the analytic rule's, relative to the average arm's, after the prior."""
        excess = state.averages.excess(len(situation.lead_time))
        tail = safety_factor(situation.economics.critical_ratio) - TAIL
        if tail > 0.0:
            excess[1:] = [share + HANDICAP * tail for share in excess[1:]]
        prior = np.array(excess).take(menu.source)
        prior += menu.bend
        pooled, weight = self.pool.worth(_kind(state, situation))
        if (others := max(weight - state.learned, 0.0)) > 0.0:
            prior += others / (others + TRUST_POOL) * (pooled - prior)
        if not state.learned:
            return prior
        seen = min(float(state.learned), 1.0 / FLOOR)
        rarity = 1.0 / max(1.0 - situation.economics.critical_ratio, 0.005)
        worth: Floats = _relative(state.costs, menu)
        worth -= prior
        worth *= seen / (seen + TRUST * rarity)
        worth += prior
        return worth

    def dump(self, state: PilQState) -> bytes:
        """Write an item's state."""
        return encode_state(state, self.version)

    def load(self, data: bytes) -> PilQState:
        """Read an item's state."""
        return decode_state(data, self.version)

    def dump_shared(self) -> Mapping[str, bytes]:
        """Write the prior of each kind of item that has changed."""
        return self.pool.dump()

    def load_shared(self, parts: Mapping[str, bytes]) -> None:
        """Read the priors."""
        self.pool.load(parts)


def menu_of(terms: Economics) -> Menu:
    """The arms for these costs."""
    return LOTS if terms.order_cost > 0.0 else PLAIN


def _way(situation: Situation) -> tuple[Route, Arrivals]:
    """What the situation is to every arm alike."""
    way = route(situation.lead_time)
    return way, expected_arrivals(situation, way)


def _levels(
    state: PilQState, situation: Situation, way: Route, arrivals: Arrivals, arm: tuple[int, float, float]
) -> Levels:
    """What an arm steers by."""
    source, shift, stretch = arm
    return levels(situation, way, outlook_of(state.averages, source, situation, way), arrivals, shift, stretch)


def _relative(costs: Floats, menu: Menu) -> Floats:
    """Costs less those of the reference, as a share of the average."""
    return np.asarray((costs - costs[menu.reference]) / max(float(np.add.reduce(costs)) / ARMS, 1e-12))


def _kind(state: PilQState, situation: Situation) -> str:
    """The kind of item whose experience is shared: how variable, how dear a shortage, how long the wait."""
    averages, terms = state.averages, situation.economics
    mean = max(averages.mean[0], 1e-6)
    variability = min(int(2.0 * math.sqrt(averages.variance_of(0)) / mean), 6)
    odds = min(int(math.log2(1.0 + terms.shortage / max(terms.holding, 1e-9))), 8)
    wait = min(int(math.log2(len(situation.lead_time))), 5)
    return f"{'l' if state.lots else 'p'}{terms.stock_out[0]}{variability}{odds}{wait}"
