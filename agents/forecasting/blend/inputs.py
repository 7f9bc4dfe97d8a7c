"""The inputs of the shared regressions: an item's past and the plan of its next periods, as numbers.

Levels are divided by the item's scale and enter as log(x + 0.1), so that items of all sizes can share weights. Each
input has a range and a number of bins; the bins, and crosses of two inputs' bins, carry weights of their own
(`bins.py`), which makes the linear regression as good as one with curves and interactions.

Beside the inputs stand the logs of the experts that the stacked regression sees, and the phase of the next period.
"""

from typing import NamedTuple

import numpy as np

from agents.forecasting.base import LEVELS
from agents.forecasting.blend.past import deviation_of, log_price, of_any_phase, of_phase
from agents.forecasting.blend.population import lifted, relative
from agents.forecasting.rhythm import HALF_MONTH, MONTH, TWO_MONTHS, WINDOWS, phase_of
from agents.kernel.arithmetic import log
from agents.kernel.compiled import Numbers, Record, Singles, compiled

FLOOR = 0.1
"""Added before a logarithm is taken, to inputs and targets alike."""
_CEILING = 30.0
"""Of a level over the scale."""
_LAGS = 7
_SEASONS_BACK = 3
_MOST_SINCE = 300

ONE, FAST, FASTER, MEANS = 0, 1, 2, 3
"""The first input is always 1. Those of several places are named after their first."""
DEVIATION, SIZE, PEAK, PHASE_MEAN, PLANNED, LIFTED, BASE, IMPLIED, SEASONS = range(MEANS + WINDOWS, 18)
LAGS = SEASONS + _SEASONS_BACK
SHARE, LONG_SHARE, RECENCY, LIFE_SHARE, SCALE, AGE, MOVEMENT, PHASE_RATIO = range(LAGS + _LAGS, 35)
PRICE_CHANGE, LOG_PRICE, PLAN_NEXT, PLAN, PLAN_CHANGE, PROMOTED, FAST_MOVEMENT, FAST_SCALE, FAST_PLAN = range(35, 44)
INPUTS = 44
SEEN = 7
"""Experts that the stacked regression sees: the first ones."""
PHASE = INPUTS + SEEN * len(LEVELS)
WIDTH = PHASE + 1

STARTS, ENDS, PROMOTION, PRICE, DEMAND, CENSORED = range(6)
"""Columns of periods; coming ones have no demand yet. A price of −1 is not known."""


class Range(NamedTuple):
    """Where an input lies, and how many bins it is cut into."""

    low: float
    high: float
    bins: int


_LEVEL = Range(-2.4, 2.6, 14)
_LAG = Range(-2.4, 3.0, 10)
_SHARE = Range(0.0, 1.0, 12)
_RATIO = Range(-1.0, 1.0, 8)
RANGES = (
    Range(0.0, 1.0, 1), *(_LEVEL,) * (SEASONS - FAST), *(_LAG,) * (SHARE - SEASONS), _SHARE, _SHARE,
    Range(0.0, 5.5, 14), Range(-5.0, 0.0, 12), Range(-1.0, 6.0, 14), Range(0.0, 6.5, 10), _RATIO, _RATIO,
    Range(-0.5, 0.5, 8), Range(-1.0, 4.0, 8), Range(0.0, 1.0, 4), Range(0.0, 1.0, 8), _RATIO, Range(0.0, 1.0, 4),
    Range(-1.0, 1.0, 2), Range(-5.0, 5.0, 2), Range(-2.0, 2.0, 2),
)  # fmt: skip
"""Of every input, in order."""


@compiled
def inputs_of(
    item: Record, shard: Record, pace: Record, coming: Numbers, scale: float, values: Numbers, sums: Numbers,
    shape: Numbers,
) -> None:  # fmt: skip
    """Compute the inputs for the open periods `coming`, of which there is at least one.

    On the way are found the `sums` of the last 0, 1, 2… periods together, and the `shape`: mean demand expected of each
    coming period, from its phase and its plan alone.
    """
    n, horizon, fast, recent = max(item["periods"], 1), len(coming), item["fast"], item["recent"]
    known = min(n, pace["memory"])
    sums[0] = 0.0
    for place in range(known):
        sums[place + 1] = sums[place] + np.float64(recent[place])
    values[ONE], values[FAST], values[FASTER] = 1.0, fast, item["faster"]
    for window in range(WINDOWS):
        span = min(known, pace["windows"][window])
        values[MEANS + window] = sums[span] / span
    values[DEVIATION] = deviation_of(recent, min(known, pace["windows"][MONTH]), values[MEANS + MONTH])
    values[SIZE] = item["total"] / max(item["sales"], 1)
    values[PEAK] = item["peak"]
    _plan_of(item, shard, pace, coming, scale, values, shape)
    season = pace["season"]
    for back in range(1, _SEASONS_BACK + 1):
        old = (horizon - 1) // season * season + back * season
        values[SEASONS + back - 1] = (sums[old] - sums[old - horizon]) / horizon if old <= known else fast
    for lag in range(_LAGS):
        values[LAGS + lag] = np.float64(recent[lag]) if lag < n else fast
    for level in range(FAST, SHARE):
        values[level] = log(min(values[level] / scale, _CEILING) + FLOOR)
    values[SHARE] = _share_sold(recent, min(known, pace["windows"][HALF_MONTH]))
    values[LONG_SHARE] = _share_sold(recent, min(known, pace["windows"][TWO_MONTHS]))
    values[RECENCY] = log(1.0 + min(item["since_sale"], _MOST_SINCE))
    values[LIFE_SHARE] = log((item["sales"] + 0.3) / (n + 1))
    values[SCALE], values[AGE], values[MOVEMENT] = log(scale), log(float(n)), shard["movement"]
    price = coming[0, PRICE]
    values[LOG_PRICE] = log_price(price) if price > 0.0 else item["log_price"]
    values[PRICE_CHANGE] = values[LOG_PRICE] - item["log_price_base"] if item["prices"] > 0 else 0.0
    values[PLAN_CHANGE] = values[PLAN] - item["plan"]
    values[PROMOTED] = item["promotion"]
    values[FAST_MOVEMENT] = values[FAST] * values[MOVEMENT]
    values[FAST_SCALE] = values[FAST] * values[SCALE]
    values[FAST_PLAN] = values[FAST] * values[PLAN]


@compiled
def _plan_of(
    item: Record, shard: Record, pace: Record, coming: Numbers, scale: float, values: Numbers, shape: Numbers
) -> None:
    """The shape of the coming periods, and the inputs that come from their phases and their plan."""
    horizon, usual, small = len(coming), of_any_phase(item), 0.05 * scale
    promoted = lifted(shard, item["lifted"], item["base"], item["promoted"])
    uplift, by_phase = promoted - item["base"], 1.0 / (usual + small)
    phase_mean = plan = planned = 0.0
    for ahead in range(horizon):
        phase = phase_of(pace, int(coming[ahead, STARTS]), int(coming[ahead, ENDS]))
        mean, level = of_phase(item, phase, usual), relative(shard, coming[ahead, PROMOTION])
        shape[ahead] = (mean + small) * max(item["base"] + level * uplift, 0.0) * by_phase
        phase_mean += mean / horizon
        plan += level / horizon
        planned += shape[ahead] / horizon
        if ahead == 0:
            values[PHASE], values[PLAN_NEXT] = phase, level
    values[PHASE_MEAN], values[PLANNED], values[PLAN] = phase_mean, planned, plan
    values[LIFTED], values[BASE] = promoted, item["base"]
    values[IMPLIED] = max(item["base"] + plan * uplift, 0.0)
    values[PHASE_RATIO] = log((phase_mean + small) * by_phase)


@compiled
def _share_sold(recent: Singles, span: int) -> float:
    """Share of the last periods in which something was sold."""
    sold = 0
    for place in range(span):
        sold += recent[place] > 0.0
    return sold / span
