"""Learns an item's past again after it was corrected, without counting it twice in what the shard's items share.

Only the item's own figures are made anew. How well its experts did stays as it was judged, but after a slip of the pen,
whose errors would rule for months.
"""

from agents.forecasting.blend.past import Past
from agents.forecasting.blend.population import Population
from agents.forecasting.blend.state import BlendState
from agents.forecasting.correction import CorrectedPast
from agents.forecasting.rhythm import Pace


def relearn(state: BlendState, corrected: CorrectedPast, population: Population, pace: Pace) -> None:
    """Remember the past as it is now, and judge the forecasts that wait by it."""
    known, state.past = state.past.figures, Past.fresh(pace)
    for period in corrected.periods:
        if period.is_open:
            phase, plan = pace.phase(period.starts, period.ends), population.relative(period.promotion)
            state.past.take(state.past.believed(period, population.first_sales), period, phase, plan)
    f = state.past.figures  # of prices only the last is remembered
    f.prices, f.log_price, f.log_price_base = known.prices, known.log_price, known.log_price_base
    if corrected.is_slip():
        state.forget_errors()
    corrections = corrected.corrections()
    for filed in state.filed:
        passed = state.horizon - filed.left
        changes = sum(each.now - each.was for each in corrections if each.age < passed)
        filed.total = max(0.0, filed.total + changes)
    state.answer, state.asked, state.plan = None, None, ()
