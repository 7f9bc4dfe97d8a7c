"""Cuts inputs into bins, and crosses pairs of them: the places of the sparse weights that an item's inputs touch."""

import numpy as np
import numpy.typing as npt

from agents.forecasting.blend.arrays import Floats, constant
from agents.forecasting.blend.inputs import CROSSES, ranges
from agents.forecasting.rhythm import Pace

_COARSE = 8
"""Most bins of an input in a cross."""
_LEAST = 4
"""Fewer bins than these are no curve."""
_HAIR = 1e-3
_ZERO = constant(0.0)


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
        self._phases = slice(names.index("phase 0"), names.index("phase 0") + pace.phases)
        self._phase = self._phases.start
        """No bins are cut from a flag, so the first phase's place is free for the number of the phase."""
        self.inputs = len(names)
        curves = np.flatnonzero(count >= _LEAST)
        own = count[curves]
        where = {name: number for number, name in enumerate(names)} | {"phase": self._phase}
        ratios = coarse / count
        coarse[self._phase], ratios[self._phase] = pace.phases, 1.0
        first = np.array([where[first] for first, _ in CROSSES])
        second = np.array([where[second] for _, second in CROSSES])
        self._width = coarse[second].astype(np.int32)
        crossed = coarse[first] * self._width
        sizes = np.concatenate((own, crossed))
        self._curves, self.touched, self.count = len(own), len(sizes), int(sizes.sum())
        self._starts = (np.cumsum(sizes) - sizes).astype(np.int32)
        self._looked_at = np.concatenate((curves, first, second))
        """The inputs that places come from: one for a curve, two for a cross."""
        self._ratios = np.concatenate((np.ones(len(own)), ratios[first], ratios[second])).astype(np.float32)

    def of(self, values: Floats) -> npt.NDArray[np.int32]:
        """The places touched by inputs, or by each row of inputs."""
        exact = values * self._steps
        exact += self._shifts
        np.maximum(exact, _ZERO, out=exact)
        np.minimum(exact, self._last, out=exact)
        exact[..., self._phase] = values[..., self._phases].argmax(axis=-1)
        found = exact.take(self._looked_at, axis=-1)
        found *= self._ratios
        bins = found.astype(np.int32)
        places: npt.NDArray[np.int32] = bins[..., : self.touched]
        crosses = places[..., self._curves :]
        crosses *= self._width
        crosses += bins[..., self.touched :]
        places += self._starts
        return places
