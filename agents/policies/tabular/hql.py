"""`hql`: full-feedback Q-learning where stock-outs hide demand, for lost sales and goods that come at once.

A level shows what every lower one would have sold, also when it sells out, and nothing of the higher ones. So the
highest level that may still be the best is held: those below learn with it, and those that are surely worse drop out
from above. For lead times, order costs and backorders it is `fql`.

Gong, Simchi-Levi (2024), "Bandits atop Reinforcement Learning: Tackling Online Inventory Models with Cyclic Demands",
Management Science: HQL, with its elimination as a margin that shrinks.
"""

import math
from typing import ClassVar

from agents.policies.base import Outcome, Situation
from agents.policies.pil_q.averages import learn, variance_of
from agents.policies.projection.route import route
from agents.policies.tabular.fql import Fql, FqlState
from agents.policies.tabular.tables import LevelTable, step

MARGIN = 2.0
"""A level may look dearer by so many deviations of demand, at the geometric mean of both costs: what a unit more would
have cost varies so much about its best level."""


class Hql(Fql):
    """Half-feedback tabular Q-learning."""

    name: ClassVar[str] = "hql"
    version: ClassVar[int] = 2

    def _doubt(self, state: FqlState, situation: Situation) -> float:
        if not _half(situation):
            return 0.0
        terms, deviation = situation.economics, math.sqrt(variance_of(state.averages[0], 0))
        return MARGIN * math.sqrt(terms.holding * terms.shortage) * deviation / math.sqrt(state.sweeps + 1.0)

    def learn(self, state: FqlState, situation: Situation, outcome: Outcome) -> None:
        """Sweep the levels that the one held speaks for."""
        terms = situation.economics
        if not _half(situation):
            super().learn(state, situation, outcome)
            return
        sold = max(int(min(outcome.sold, outcome.demand) + 0.5), 0)
        learn(state.averages, float(outcome.demand), -1.0)
        if not isinstance(state.table, LevelTable) or state.lead_time:
            state.table, state.sweeps, state.lead_time, state.past = None, 0, 0, []
            self._size(state, route(situation.lead_time), situation)
            return
        state.sweeps += 1
        held, rate = sold + max(situation.available, 0), step(state.sweeps)
        state.table.sweep_below(held, sold, terms.holding, terms.shortage, rate)


def _half(situation: Situation) -> bool:
    """Whether levels stand in a row, so that one shows what those below it would have done."""
    terms, way = situation.economics, route(situation.lead_time)
    return terms.stock_out == "lost" and terms.order_cost <= 0.0 and way.longest == 0 and way.certain
