"""Learns an item's past again where it was corrected: forecasts, facts and figures are what they would be without it.

What was published stays published. After a slip of the pen policies begin anew, and costs and errors are counted anew:
what they know of the item is about the slip.
"""

from collections.abc import Callable
from typing import TypeAlias

from agents.core.learners import Learners
from agents.core.learning_state import LearningState
from agents.forecasting.base import ClosedPeriod, Forecaster
from agents.forecasting.correction import CorrectedPast
from agents.inventory.card import Card
from agents.inventory.catalogue import Plan
from schemas.ledger import Milliseconds
from schemas.quantities import DAY_MS

PlanOf: TypeAlias = Callable[[Milliseconds, Milliseconds], Plan]


def learn_corrections(
    card: Card, learning_state: LearningState, forecaster: Forecaster, learners: Learners, plan_of: PlanOf
) -> None:
    """Learn all corrections since the last review; `plan_of` says what was planned for a period."""
    remembered, record, item = card.remembered, learning_state.record, card.item
    if not remembered.before:
        return
    remembered.plan(plan_of)
    periods = [
        ClosedPeriod(
            starts, starts + remembered.period_ms, float(seen.demand), seen.censored, seen.is_open, seen.promotion
        )
        for starts, seen in remembered.written_out()
    ]
    past, remembered.before = CorrectedPast(periods, remembered.before), {}
    card.keep_remembered()
    whole = item.closed_periods - 1 <= len(periods)
    learners.correct(forecaster, learning_state, card.name, item.abc, past, whole=whole)
    record.accuracy.correct(past)
    for age, period in enumerate(reversed(periods)):
        change = period.demand - past.was.get(period.starts, period.demand)
        record.figures.correct(change, age, remembered.period_ms / DAY_MS)
    if past.is_slip():
        learning_state.forget_others(forecaster.name, set())
        record.cost = 0.0
