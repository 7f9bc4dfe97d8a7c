"""`pil-q`, the learned champion: Q-learning over families of rules, with full feedback from shadow inventories.

Every arm (`arms.py`) keeps a shadow inventory that meets the item's real demand, lead times, minimums and multiples.
Q of an arm is its cost a period, Q ← Q + α (cost − Q). The cheaper an arm is expected to be, the more it has to say in
what is ordered (`shares.py`); that is expected from analysis (`prior.py`), from what arms cost the shard's other items
of the kind (`pool.py`), and from what they cost this item, in turn.

Demand that a stock-out hid is replaced by its expectation given what was sold, for all arms alike.
"""

import math
from collections.abc import Mapping
from typing import ClassVar

import msgspec
import numpy as np

from agents.policies.arrays import Floats
from agents.policies.base import Advice, Economics, Outcome, Rehearsal, Situation
from agents.policies.classes import class_of
from agents.policies.pil_q.arms import ARMS, LOTS, PLAIN, Arm, Menu, PilArm
from agents.policies.pil_q.averages import Averages
from agents.policies.pil_q.beliefs import outlook_of, tail_of
from agents.policies.pil_q.by_level import filled_up
from agents.policies.pil_q.counterfactual import Together, decided, order
from agents.policies.pil_q.hidden_demand import uncensored
from agents.policies.pil_q.pool import Pool
from agents.policies.pil_q.prior import prior
from agents.policies.pil_q.shares import all_for_one, shares_of
from agents.policies.pil_q.state import PilQState, decode_state, encode_state
from agents.policies.projection.arrivals import Arrivals, expected_arrivals
from agents.policies.projection.route import Route, route
from agents.policies.rules.levels import safety_factor
from agents.policies.rules.pil import Levels, advise, levels
from agents.policies.shadow.shadows import Shadows

FLOOR = 1.0 / 2000.0
"""Smallest step: the past fades over about so many periods."""
TRUST = 60.0
"""Weight of what the pool says beside an item's own costs, in expected stock-outs.

Stock-outs show which arm is better. The dearer they are, the rarer: about one in 1/(1 − critical ratio) periods.
"""
TRUST_ANALYSIS, TRUST_TERMS = 3.0, 20.0
"""Expected stock-outs of others after which the pool of the same terms counts as much as analysis, and that of the kind
as all that."""
YOUNG = 10.0
"""Periods for which an item's usual cost leans to what holding its demand for a period costs."""
RECONSIDER, SETTLE = 4, 32
"""Shares are worked out anew every so many periods; every period until so many were seen."""


class PilQ:
    """Policy-parameter Q-learning."""

    name: ClassVar[str] = "pil-q"
    version: ClassVar[int] = 4

    def __init__(self) -> None:
        self.pool = Pool(ARMS)

    def fresh(self) -> PilQState:
        """Know nothing: what analysis holds best acts until arms have shown what they are worth."""
        return PilQState(Averages())

    def decide(self, state: PilQState, situation: Situation) -> Advice:
        """Order what arms want together."""
        menu, (way, arrivals) = menu_of(situation.economics), _way(situation)
        shares = shares_in(state, situation, menu)
        analytic = _levels(state, situation, way, arrivals, menu.arms[menu.reference])
        baseline, place = analytic.quantity if situation.may_order else 0.0, int(shares.argmax())
        arm, share = menu.arms[place], float(shares[place])
        if share < 1.0:
            advice = self._together(state, situation, menu, shares, analytic)
        elif isinstance(arm, PilArm):
            advice = advise(situation, _levels(state, situation, way, arrivals, arm))
        else:
            advice = filled_up(state.averages, situation, arm)
        words = arm.words if share == 1.0 else f"{arm.words} ({share:.0%} of {np.count_nonzero(shares)} arms)"
        return msgspec.structs.replace(advice, arm=words, advantage=state.advantage, baseline_quantity=baseline)

    def _together(self, state: PilQState, situation: Situation, menu: Menu, shares: Floats, analytic: Levels) -> Advice:
        """What arms want together, and the levels that they come to."""
        together = self._decided(state, situation, menu, shares)
        level = analytic.left + together.missing
        advice = advise(situation, analytic._replace(low=level, high=level, most=math.inf))
        return msgspec.structs.replace(advice, quantity=together.quantity if situation.may_order else 0.0)

    def _decided(self, state: PilQState, situation: Situation, menu: Menu, shares: Floats) -> Together:
        """What arms decide together; `learn` has worked that out already for the situation that it saw."""
        if state.decided is not None and state.decided[0] is situation:
            return state.decided[1]
        return decided(state.averages, situation, menu, shares)

    def quantity(self, state: PilQState, situation: Situation) -> float:
        """What `decide` would order."""
        if not situation.may_order:
            return 0.0
        menu = menu_of(situation.economics)
        shares = shares_in(state, situation, menu)
        arm = menu.arms[place := int(shares.argmax())]
        if shares[place] < 1.0:
            return self._decided(state, situation, menu, shares).quantity
        if isinstance(arm, PilArm):
            return _levels(state, situation, *_way(situation), arm).quantity
        return filled_up(state.averages, situation, arm).quantity

    def learn(self, state: PilQState, situation: Situation, outcome: Outcome) -> None:
        """Let every arm live through the period, and order anew."""
        terms = situation.economics
        menu, demand = menu_of(terms), uncensored(state.averages, outcome)
        if state.lots != menu.lots:
            state.begin(lots=menu.lots)
        state.rehearsal = None
        if state.shadows is not None:
            self._judge(state, situation, menu, state.shadows.live(demand, terms))
        state.averages.learn(demand, state.expected)
        state.expected = situation.forecast.path[0] if situation.forecast.path else None
        if state.shares is None or state.averages.periods % RECONSIDER == 0 or state.averages.periods < SETTLE:
            worth = self._worth(state, situation, menu)
            stock_outs = state.learned * (1.0 - terms.critical_ratio)
            state.shares = all_for_one(worth, state.shares) if menu.lots else shares_of(worth, stock_outs, menu.weights)
            state.advantage = float(worth[menu.reference] - (worth * state.shares).sum())
        if state.shadows is None:
            state.shadows, state.lived = Shadows.alike(situation, ARMS + 1), 0
        together = order(state.shadows, state.averages, situation, menu, state.shares)
        state.decided = None if together is None else (situation, together)

    def rehearsal(self, state: PilQState) -> Rehearsal | None:
        """Say what arms together, and those that are simple rules, have cost in shadow."""
        return state.rehearsal

    def _judge(self, state: PilQState, situation: Situation, menu: Menu, costs: Floats) -> None:
        """Q ← Q + α (cost − Q), from the first period on in which an order of the shadows may have come."""
        state.lived += 1
        if state.lived <= next((wait for wait, chance in enumerate(situation.lead_time) if chance > 0.0), 0):
            return
        rules = {name: float(costs[place]) for name, place in menu.rules.items()}
        state.rehearsal = Rehearsal(float(costs[ARMS]), rules)
        state.learned += 1
        costs = costs[:ARMS]
        step = costs - state.costs
        step *= max(1.0 / state.learned, FLOOR)
        state.costs += step
        scale = 1.0 / math.sqrt(_usual(state, situation, menu))
        paid = 0.5 * float(costs[menu.reference] + costs[menu.rules["base-stock"]])
        excess = costs - costs[menu.reference]
        excess *= scale
        self.pool.learn(_kinds(state, situation), excess, paid * scale, state.learned)

    def _worth(self, state: PilQState, situation: Situation, menu: Menu) -> Floats:
        """Expected cost of each arm beyond the analytic rule's, as a share of what the item usually costs."""
        rarity = 1.0 / max(1.0 - situation.economics.critical_ratio, 0.002)
        excess = np.array(state.averages.excess(len(situation.lead_time)))
        worth = excess.take(menu.sources)
        worth += expected_of(situation, menu)
        for kind, trust in zip(_kinds(state, situation), (TRUST_ANALYSIS, TRUST_TERMS), strict=True):
            pooled, others = self.pool.worth(kind, state.learned)
            if others > 0.0:
                worth += others / (others + trust * rarity) * (pooled - worth)
        if state.learned:
            seen = min(float(state.learned), 1.0 / FLOOR)
            own = (state.costs - state.costs[menu.reference]) / max(_paid(state, menu), 1e-12)
            worth += seen / (seen + TRUST * rarity) * (own - worth)
        return worth

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


def shares_in(state: PilQState, situation: Situation, menu: Menu) -> Floats:
    """How much each arm has to say; before the first period, as analysis has it."""
    if state.shares is not None and state.lots == menu.lots:
        return state.shares
    expected = expected_of(situation, menu)
    return all_for_one(expected, None) if menu.lots else shares_of(expected, 0.0, menu.weights)


def expected_of(situation: Situation, menu: Menu) -> Floats:
    """What analysis expects of each arm."""
    terms, tail = situation.economics, tail_of(situation.protection)
    factor, lost = safety_factor(terms.critical_ratio), terms.stock_out == "lost"
    return prior(factor, situation.lead_time, tail, lots=menu.lots, lost=lost)


def _way(situation: Situation) -> tuple[Route, Arrivals]:
    """What the situation is to every arm alike."""
    way = route(situation.lead_time)
    return way, expected_arrivals(situation, way)


def _levels(state: PilQState, situation: Situation, way: Route, arrivals: Arrivals, arm: Arm) -> Levels:
    """What an arm of the family `pil` steers by."""
    source, shift, stretch = arm if isinstance(arm, PilArm) else PilArm()
    return levels(situation, way, outlook_of(state.averages, source, situation, way), arrivals, shift, stretch)


def _paid(state: PilQState, menu: Menu) -> float:
    """What two simple rules have cost a period."""
    return 0.5 * float(state.costs[menu.reference] + state.costs[menu.rules["base-stock"]])


def _usual(state: PilQState, situation: Situation, menu: Menu) -> float:
    """What a period of the item usually costs."""
    averages, seen = state.averages, min(float(state.learned), 1.0 / FLOOR)
    held = situation.economics.holding * (averages.mean[0] + math.sqrt(averages.variance_of(0)))
    return max((seen * _paid(state, menu) + YOUNG * held) / (seen + YOUNG), 1e-12)


def _kinds(state: PilQState, situation: Situation) -> tuple[str, str]:
    """What an item shares experience with: items of the same terms, and those of them that are as variable."""
    averages, alike = state.averages, class_of(situation)
    variability = min(int(2.0 * math.sqrt(averages.variance_of(0)) / max(averages.mean[0], 1e-6)), 6)
    return alike, f"{alike} {variability}{'c' if situation.lead_time[-1] == 1.0 else 'r'}"
