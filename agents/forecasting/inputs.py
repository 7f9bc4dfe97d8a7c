"""The inputs of the shared regressions: what an item's past and its plan say about the next periods together.

Levels are divided by the item's scale and enter as log(x + 0.1), so that items of all sizes can share weights. Each
input has a range and a number of bins; the bins, and crosses of two inputs' bins, carry weights of their own
(`bins.py`), which makes the linear regression as good as one with curves and interactions.
"""

from collections.abc import Sequence
from math import log, log1p, sqrt
from typing import NamedTuple

import numpy as np

from agents.forecasting.base import Ahead
from agents.forecasting.memory import Memory
from agents.forecasting.population import Population
from agents.forecasting.rhythm import Pace

FLOOR = 0.1
"""Added before a logarithm is taken, to inputs and targets alike."""
_CEILING = 30.0
_LAGS = 7
_SEASONS_BACK = (1, 2, 3)
_PHASE_PRIOR = 4.0


class Range(NamedTuple):
    """Where an input lies, and how many bins it is cut into."""

    low: float
    high: float
    bins: int


_LEVEL = Range(-2.4, 2.6, 14)
_LAG = Range(-2.4, 3.0, 10)
_SHARE = Range(0.0, 1.0, 12)
_RATIO = Range(-1.0, 1.0, 8)
_FLAG = Range(0.0, 1.0, 2)


def ranges(pace: Pace) -> dict[str, Range]:
    """Every input by its name, in order."""
    names = {
        "fast": _LEVEL,
        "faster": _LEVEL,
        **{f"mean {number}": _LEVEL for number in range(len(pace.windows))},
        "deviation": _LEVEL,
        "size": _LEVEL,
        "peak": _LEVEL,
        "phase mean": _LEVEL,
        "planned": _LEVEL,
        "lifted": _LEVEL,
        "base": _LEVEL,
        "implied": _LEVEL,
        **{f"season {number}": _LAG for number in _SEASONS_BACK},
        **{f"lag {number}": _LAG for number in range(_LAGS)},
        "share": _SHARE,
        "long share": _SHARE,
        "recency": Range(0.0, 5.5, 14),
        "life share": Range(-5.0, 0.0, 12),
        "scale": Range(-1.0, 6.0, 14),
        "age": Range(0.0, 6.5, 10),
        "movement": _RATIO,
        "phase ratio": _RATIO,
        **{f"phase {number}": _FLAG for number in range(pace.phases)},
        "price": Range(-0.5, 0.5, 8),
        "log price": Range(-1.0, 4.0, 8),
        "plan next": Range(0.0, 1.0, 4),
        "plan": Range(0.0, 1.0, 8),
        "plan change": _RATIO,
        "promoted": Range(0.0, 1.0, 4),
        "fast x movement": Range(-1.0, 1.0, 2),
        "fast x scale": Range(-5.0, 5.0, 2),
        "fast x plan": Range(-2.0, 2.0, 2),
    }
    return {name: Range(*span) for name, span in names.items()}


CROSSES = (
    ("scale", "long share"),
    ("scale", "fast"),
    ("scale", "peak"),
    ("fast", "mean 3"),
    ("fast", "recency"),
    ("peak", "long share"),
    ("deviation", "fast"),
    ("age", "fast"),
    ("phase", "phase mean"),
    ("phase", "fast"),
    ("implied", "fast"),
    ("implied", "plan"),
    ("mean 5", "fast"),
    ("plan next", "lag 0"),
    ("recency", "long share"),
    ("recency", "life share"),
    ("age", "life share"),
)
"""Pairs of inputs whose bins are crossed; "phase" is the phase of the next period."""


class Sight(NamedTuple):
    """The inputs, and what else was worked out on the way."""

    values: list[float]
    sums: list[float]
    """Demand of the last 0, 1, 2… periods together."""
    shape: list[float]
    """Mean demand expected of each coming period, from its phase and its plan alone."""


def look(memory: Memory, population: Population, pace: Pace, ahead: Sequence[Ahead], scale: float) -> Sight:
    """See an item as it stands, with a view to the open periods `ahead`, of which there is at least one."""
    f, windows, n = memory.figures, pace.windows, max(memory.figures.periods, 1)
    sums = [0.0, *np.add.accumulate(memory.recent, dtype=np.float64).tolist()]
    horizon = len(ahead)
    means = [sums[min(window, n)] / min(window, n) for window in windows]
    wide, short, long = min(windows[3], n), min(windows[2], n), min(windows[4], n)
    newest = memory.recent[: windows[3]].tolist()
    deviation = sqrt(max(sum([value * value for value in newest]) / wide - means[3] ** 2, 0.0))
    share = sum([value > 0.0 for value in newest[:short]]) / short
    long_share = int(np.count_nonzero(memory.recent[:long])) / long
    seasonal = [_season_back(sums, horizon, pace.season, back, n, f.fast) for back in _SEASONS_BACK]
    phases = pace.phases_of(ahead)
    usual = sum(memory.phase_sums) / max(sum(memory.phase_counts), 1)
    prior = _PHASE_PRIOR * usual
    of_phase = {
        p: (memory.phase_sums[p] + prior) / (memory.phase_counts[p] + _PHASE_PRIOR) for p in dict.fromkeys(phases)
    }
    phase_mean = sum([of_phase[p] for p in phases]) / horizon
    small = 0.05 * scale
    lifted = population.lifted(f.lifted, f.base, f.promoted)
    plans = [period.promotion for period in ahead]
    if any(plans):
        plans = [population.relative(plan) for plan in plans]
    plan = sum(plans) / horizon
    shape = [
        (of_phase[phase] + small) / (usual + small) * max(f.base + level * (lifted - f.base), 0.0)
        for phase, level in zip(phases, plans, strict=True)
    ]
    price = ahead[0].price
    log_price = min(max(log(price), -9.0), 14.0) if price is not None and price > 0.0 else f.log_price
    levels = np.array(
        (
            f.fast,
            f.faster,
            *means,
            deviation,
            f.total / max(f.sales, 1),
            f.peak,
            phase_mean,
            sum(shape) / horizon,
            lifted,
            f.base,
            max(f.base + plan * (lifted - f.base), 0.0),
            *seasonal,
            *newest[: min(_LAGS, n)],
            *((f.fast,) * (_LAGS - n)),
        )
    )
    levels /= scale
    np.minimum(levels, _CEILING, out=levels)
    levels += FLOOR
    logs = np.log(levels, out=levels).tolist()
    log_scale, movement, fast = log(scale), population.movement, logs[0]
    here = [0.0] * pace.phases
    here[phases[0]] = 1.0
    values = [
        *logs,
        share,
        long_share,
        log1p(min(f.since_sale, 300)),
        log((f.sales + 0.3) / (n + 1)),
        log_scale,
        log(n),
        movement,
        log((phase_mean + small) / (usual + small)),
        *here,
        (log_price - f.log_price_base) if f.prices else 0.0,
        log_price,
        plans[0],
        plan,
        plan - f.plan,
        f.promotion,
        fast * movement,
        fast * log_scale,
        fast * plan,
    ]
    return Sight(values, sums, shape)


def _season_back(sums: list[float], horizon: int, season: int, back: int, n: int, otherwise: float) -> float:
    """Mean of the periods that lie whole seasons before the coming ones."""
    oldest = ((horizon - 1) // season + back) * season
    if oldest > min(n, len(sums) - 1):
        return otherwise
    return max((sums[oldest] - sums[oldest - horizon]) / horizon, 0.0)
