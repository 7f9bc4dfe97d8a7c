"""Quantiles of the negative binomial distribution, read from a table.

With mean μ and variance v > μ its size is r = μ²/(v − μ). The exact quantile (SciPy's) takes a hundred times as long as
a look at a table over log μ and log r, and between whole numbers the table's straight lines do no harm.

>>> quantiles([4.0], [12.0]).round(1)
array([[ 3. ,  6.4,  8.4, 10.4, 15.7]], dtype=float32)
"""

from collections.abc import Sequence
from functools import cache
from math import log

import numpy as np
from scipy.stats import nbinom

from agents.forecasting.base import LEVELS
from agents.forecasting.blend.arrays import Floats

_MEANS = (log(0.003), log(3000.0), 70)
_SIZES = (log(0.02), log(50.0), 24)
_LEAST_MEAN, _MOST_MEAN = 0.00301, 2990.0
_LEAST_SIZE, _MOST_SIZE = 0.0201, 49.9
_ROWS = (_MEANS[2] - 1) / (_MEANS[1] - _MEANS[0])
_COLUMNS = (_SIZES[2] - 1) / (_SIZES[1] - _SIZES[0])


def quantiles(
    means: Sequence[float], variances: Sequence[float], unit: float = 1.0, out: Floats | None = None
) -> Floats:
    """Quantiles at LEVELS over `unit`, a row for each mean; a mean beyond the table is a multiple of its last."""
    places: list[int] = []
    shares: list[float] = []
    for mean, variance in zip(means, variances, strict=True):
        inside = min(max(mean, _LEAST_MEAN), _MOST_MEAN)
        multiple = mean / inside if mean > inside else 1.0
        excess = variance / (multiple * multiple * inside) - 1.0
        excess = min(max(excess, inside / _MOST_SIZE), inside / _LEAST_SIZE)
        log_mean = log(inside)
        row, column = (log_mean - _MEANS[0]) * _ROWS, (log_mean - log(excess) - _SIZES[0]) * _COLUMNS
        i, j = int(row), int(column)
        right, below = column - j, (row - i) * multiple / unit
        above = multiple / unit - below
        places.append(i * _SIZES[2] + j)
        shares += (above - above * right, above * right, below - below * right, below * right)
    found = _corners().take(places, axis=0)
    weights = np.array(shares, np.float32).reshape(len(means), 4)
    quantiles: Floats = np.einsum("mcl,mc->ml", found, weights, out=out)
    return quantiles


@cache
def _corners() -> Floats:
    """The table's quantiles around each place of it: by mean and by size, at it or one further."""
    means, sizes = np.exp(np.linspace(*_MEANS)), np.exp(np.linspace(*_SIZES))
    mean, size = np.meshgrid(means, sizes, indexing="ij")
    table = np.stack([nbinom.ppf(level, size, size / (size + mean)) for level in LEVELS], axis=-1)
    around = [np.roll(table, (-down, -right), (0, 1)) for down in (0, 1) for right in (0, 1)]
    return np.stack(around, axis=2).reshape(-1, 4, len(LEVELS)).astype(np.float32)
