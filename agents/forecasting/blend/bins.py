"""Cuts inputs into bins, and crosses pairs of them: the places of the sparse weights that an item's inputs touch.

Inputs of a few values only have weights enough of their own: they stand in crosses alone. Last come what is crossed
with the phase of the next period, whose places depend on how many phases there are, and the phase by itself.

>>> from agents.forecasting.blend.inputs import WIDTH
>>> places = np.zeros(TOUCHED, np.int64)
>>> places_of(np.zeros(WIDTH), 7, places)
>>> int(places[-1]) == flags_from(7) < rows_of(7)
True
"""

import numpy as np

from agents.forecasting.blend import inputs as of
from agents.forecasting.blend.inputs import RANGES
from agents.forecasting.rhythm import LONGEST, MONTH
from agents.kernel.compiled import Numbers, Places, compiled

_COARSE = 8
"""Most bins of an input in a cross."""
_LEAST = 4
"""Fewer bins than these are no curve."""
_HAIR = 1e-3
_LOW = np.array([span.low for span in RANGES])
_PER_SPAN = np.array([1.0 / (span.high - span.low) for span in RANGES])
_BINS = np.array([span.bins for span in RANGES])
_CROSSES = np.array((
    (of.SCALE, of.LONG_SHARE), (of.SCALE, of.FAST), (of.SCALE, of.PEAK), (of.FAST, of.MEANS + MONTH),
    (of.FAST, of.RECENCY), (of.PEAK, of.LONG_SHARE), (of.DEVIATION, of.FAST), (of.AGE, of.FAST),
    (of.IMPLIED, of.FAST), (of.IMPLIED, of.PLAN), (of.MEANS + LONGEST, of.FAST), (of.PLAN_NEXT, of.LAGS),
    (of.RECENCY, of.LONG_SHARE), (of.RECENCY, of.LIFE_SHARE), (of.AGE, of.LIFE_SHARE),
))  # fmt: skip
"""Pairs of inputs whose bins are crossed."""
_OF_PHASES = np.array((of.PHASE_MEAN, of.FAST))
"""Inputs that are crossed with the phase."""
_CURVES = np.flatnonzero(_BINS >= _LEAST)
_SIZES = np.concatenate((_BINS[_CURVES], np.minimum(_BINS[_CROSSES], _COARSE).prod(axis=1)))
_STARTS = np.cumsum(_SIZES) - _SIZES
_FIXED = int(_SIZES.sum())
"""Places that do not depend on the count of phases."""
TOUCHED = len(_SIZES) + len(_OF_PHASES) + 1


@compiled
def flags_from(phases: int) -> int:
    """The place of the first phase by itself."""
    return _FIXED + len(_OF_PHASES) * _COARSE * phases


@compiled
def rows_of(phases: int) -> int:
    """How many places there are."""
    return flags_from(phases) + phases


@compiled
def places_of(values: Numbers, phases: int, places: Places) -> None:
    """Write the places that inputs touch."""
    curves, crosses, phase = len(_CURVES), len(_CROSSES), min(max(int(values[of.PHASE]), 0), phases - 1)
    for curve in range(curves):
        number = _CURVES[curve]
        places[curve] = _STARTS[curve] + _cut(values, number, _BINS[number])
    for cross in range(crosses):
        first, second = _CROSSES[cross]
        width = min(_BINS[second], _COARSE)
        both = _cut(values, first, min(_BINS[first], _COARSE)) * width + _cut(values, second, width)
        places[curves + cross] = _STARTS[curves + cross] + both
    for cross in range(len(_OF_PHASES)):
        start = _FIXED + cross * _COARSE * phases
        places[curves + crosses + cross] = start + phase * _COARSE + _cut(values, _OF_PHASES[cross], _COARSE)
    places[TOUCHED - 1] = flags_from(phases) + phase


@compiled
def _cut(values: Numbers, number: int, bins: int) -> int:
    """The bin, of so many, that an input is in."""
    exact = (values[number] - _LOW[number]) * _PER_SPAN[number] * bins
    return int(min(exact, bins - _HAIR)) if exact > 0.0 else 0
