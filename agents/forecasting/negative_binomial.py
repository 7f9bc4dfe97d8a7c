"""Quantiles of the negative binomial distribution, read from a table.

With mean μ and variance v > μ its size is r = μ²/(v − μ). The exact quantile (SciPy's) takes a hundred times as long as
a look at a table over log μ and log r, and between whole numbers the table's straight lines do no harm.

>>> quantiles([4.0], [12.0]).round(1)
array([[ 3. ,  6.4,  8.4, 10.4, 15.7]])
"""

from collections.abc import Sequence
from functools import cache
from math import log

import numpy as np
import numpy.typing as npt
from scipy.stats import nbinom

from agents.forecasting.base import LEVELS

_MEANS = (log(0.003), log(3000.0), 70)
_SIZES = (log(0.02), log(50.0), 24)
_LEAST_MEAN, _MOST_MEAN = 0.00301, 2990.0
_LEAST_SIZE, _MOST_SIZE = 0.0201, 49.9
_ROWS = (_MEANS[2] - 1) / (_MEANS[1] - _MEANS[0])
_COLUMNS = (_SIZES[2] - 1) / (_SIZES[1] - _SIZES[0])


def quantiles(means: Sequence[float], variances: Sequence[float], unit: float = 1.0) -> npt.NDArray[np.float64]:
    """Quantiles at LEVELS over `unit`, a row for each mean; a mean beyond the table is a multiple of its last."""
    places: list[int] = []
    shares: list[float] = []
    for mean, variance in zip(means, variances, strict=True):
        inside = min(max(mean, _LEAST_MEAN), _MOST_MEAN)
        beyond = mean / inside if mean > inside else 1.0
        spread = variance / (beyond * beyond)
        size = min(max(inside * inside / max(spread - inside, 1e-3 * inside), _LEAST_SIZE), _MOST_SIZE)
        row = (log(inside) - _MEANS[0]) * _ROWS
        column = (log(size) - _SIZES[0]) * _COLUMNS
        i, j = int(row), int(column)
        b, at, scale = column - j, i * _SIZES[2] + j, beyond / unit
        below, above = (1.0 - row + i) * scale, (row - i) * scale
        places += (at, at + 1, at + _SIZES[2], at + _SIZES[2] + 1)
        shares += (below * (1.0 - b), below * b, above * (1.0 - b), above * b)
    found = _table().take(places, axis=0)
    found *= np.array(shares)[:, None]
    quantiles: npt.NDArray[np.float64] = np.add.reduce(found.reshape(len(means), 4, len(LEVELS)), axis=1)
    return quantiles


@cache
def _table() -> npt.NDArray[np.float64]:
    means, sizes = np.exp(np.linspace(*_MEANS)), np.exp(np.linspace(*_SIZES))
    mean, size = np.meshgrid(means, sizes, indexing="ij")
    found = [nbinom.ppf(level, size, size / (size + mean)).ravel() for level in LEVELS]
    return np.stack(found, axis=-1)
