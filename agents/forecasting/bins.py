"""Cuts inputs into bins, and crosses pairs of them: the places of the sparse weights that an item's inputs touch."""

import numpy as np
import numpy.typing as npt

from agents.forecasting.arrays import Floats
from agents.forecasting.inputs import CROSSES, ranges
from agents.forecasting.rhythm import Pace

_COARSE = 8
"""Most bins of an input in a cross."""
_LEAST = 4
"""Fewer bins than these are no curve."""
_HAIR = 1e-3
_ZERO = np.float32(0.0)


class Bins:
    """The bins of a rhythm. Inputs of a few values only have weights enough of their own: they stand in crosses alone.

    >>> from agents.forecasting.base import Rhythm
    >>> bins = Bins(Pace.of(Rhythm()))
    >>> places = bins.of(np.zeros((2, bins.inputs), np.float32))
    >>> places.shape == (2, bins.touched), int(places.max()) < bins.count, bool((places[0] == places[1]).all())
    (True, True, True)
    """

    def __init__(self, pace: Pace) -> None:
        spans = ranges(pace)
        names = list(spans)
        count = np.array([span.bins for span in spans.values()], np.int32)
        self._steps = (count / np.array([span.high - span.low for span in spans.values()])).astype(np.float32)
        self._shifts = (-self._steps * np.array([span.low for span in spans.values()])).astype(np.float32)
        self._last = (count - _HAIR).astype(np.float32)
        coarse = np.minimum(count, _COARSE)
        self._ratios = (coarse / count).astype(np.float32)
        self._phases = slice(names.index("phase 0"), names.index("phase 0") + pace.phases)
        self.inputs = len(names)
        self._own = np.flatnonzero(count >= _LEAST)
        own = count[self._own]
        self._starts = (np.cumsum(own) - own).astype(np.int32)
        where = {name: number for number, name in enumerate(names)} | {"phase": len(names)}
        sizes = np.append(coarse, pace.phases).astype(np.int32)
        self._first = np.array([where[first] for first, _ in CROSSES])
        self._second = np.array([where[second] for _, second in CROSSES])
        self._width = sizes[self._second]
        crossed = sizes[self._first] * self._width
        self._cross_starts = (own.sum() + np.cumsum(crossed) - crossed).astype(np.int32)
        self.count = int(own.sum() + crossed.sum())
        self.touched = len(own) + len(CROSSES)

    def of(self, values: Floats) -> npt.NDArray[np.int32]:
        """The places touched by inputs, or by each row of inputs."""
        exact = values * self._steps
        exact += self._shifts
        np.maximum(exact, _ZERO, out=exact)
        np.minimum(exact, self._last, out=exact)
        rough = np.empty((*values.shape[:-1], self.inputs + 1), np.int32)
        rough[..., :-1] = exact * self._ratios
        rough[..., -1] = values[..., self._phases].argmax(axis=-1)
        places = np.empty((*values.shape[:-1], self.touched), np.int32)
        places[..., : len(self._own)] = exact.take(self._own, axis=-1)
        places[..., : len(self._own)] += self._starts
        crosses = rough.take(self._first, axis=-1)
        crosses *= self._width
        crosses += rough.take(self._second, axis=-1)
        crosses += self._cross_starts
        places[..., len(self._own) :] = crosses
        return places
