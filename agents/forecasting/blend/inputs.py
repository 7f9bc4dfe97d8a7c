"""The inputs of the shared regressions: an item's past and the plan of its next periods, as numbers.

Levels are divided by the item's scale and enter as log(x + 0.1), so that items of all sizes can share weights. Each
input has a range and a number of bins; the bins, and crosses of two inputs' bins, carry weights of their own
(`bins.py`), which makes the linear regression as good as one with curves and interactions.
"""

from collections.abc import Sequence
from itertools import accumulate
from math import log, log1p, sqrt
from operator import mul
from typing import NamedTuple

from agents.forecasting.base import Ahead
from agents.forecasting.blend.past import Past
from agents.forecasting.blend.population import Population
from agents.forecasting.rhythm import Pace

FLOOR = 0.1
"""Added before a logarithm is taken, to inputs and targets alike."""
CEILING = 30.0
"""Of a level over the scale."""
_LAGS = 7
_SEASONS_BACK = (1, 2, 3)
_WINDOWS = 6
LEVEL_INPUTS = 10 + _WINDOWS + len(_SEASONS_BACK) + _LAGS
"""The first inputs are levels of demand."""


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
        **{f"mean {number}": _LEVEL for number in range(_WINDOWS)},
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


class ItemInputs(NamedTuple):
    """The inputs of one item, and what else was computed on the way."""

    values: list[float]
    """The first of them are levels, still as demand."""
    sums: list[float]
    """Demand of the last 0, 1, 2… periods together."""
    shape: list[float]
    """Mean demand expected of each coming period, from its phase and its plan alone."""
    mean: float
    deviation: float
    """Of the demand of single periods, over the last ones."""


def inputs_of(past: Past, population: Population, pace: Pace, ahead: Sequence[Ahead], scale: float) -> ItemInputs:
    """Compute the inputs for the open periods `ahead`, of which there is at least one."""
    f, n, horizon = past.figures, max(past.figures.periods, 1), len(ahead)
    recent = past.recent.tolist()
    sums = [0.0, *accumulate(recent)]
    known = min(n, pace.long_memory)
    spans = pace.windows if known == pace.long_memory else [min(known, window) for window in pace.windows]
    means = [sums[span] / span for span in spans]
    short, wide, long = spans[2:5]
    newest = recent[:wide]
    deviation = sqrt(max(sum(map(mul, newest, newest)) / wide - means[3] * means[3], 0.0))
    seasonal = _seasons_back(sums, horizon, pace.season, known, f.fast)
    phases = pace.phases_of(ahead)
    of_phase, usual = past.of_phases(phases)
    phase_mean = sum(of_phase) / horizon
    small = 0.05 * scale
    lifted = population.lifted(f.lifted, f.base, f.promoted)
    uplift, by_phase = lifted - f.base, 1.0 / (usual + small)
    plans = [period.promotion for period in ahead]
    if any(plans):
        plans = [population.relative(plan) for plan in plans]
        planned = [max(f.base + plan * uplift, 0.0) * by_phase for plan in plans]
    else:
        planned = [f.base * by_phase] * horizon
    plan = sum(plans) / horizon
    shape = [(mean + small) * level for mean, level in zip(of_phase, planned, strict=True)]
    price = ahead[0].price
    log_price = min(max(log(price), -9.0), 14.0) if price is not None and price > 0.0 else f.log_price
    log_scale, movement, fast = log(scale), population.movement, log(min(f.fast / scale, CEILING) + FLOOR)
    here = [0.0] * pace.phases
    here[phases[0]] = 1.0
    values = [
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
        max(f.base + plan * uplift, 0.0),
        *seasonal,
        *recent[: min(_LAGS, n)],
        *((f.fast,) * (_LAGS - n)),
        1.0 - recent[:short].count(0.0) / short,
        1.0 - recent[:long].count(0.0) / long,
        log1p(min(f.since_sale, 300)),
        log((f.sales + 0.3) / (n + 1)),
        log_scale,
        log(n),
        movement,
        log((phase_mean + small) * by_phase),
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
    return ItemInputs(values, sums, shape, means[3], deviation)


def _seasons_back(sums: list[float], horizon: int, season: int, known: int, otherwise: float) -> list[float]:
    """Means of the periods that lie whole seasons before the coming ones; `otherwise` where they are not known."""
    first = (horizon - 1) // season * season
    oldest = [first + back * season for back in _SEASONS_BACK]
    return [(sums[old] - sums[old - horizon]) / horizon if old <= known else otherwise for old in oldest]
