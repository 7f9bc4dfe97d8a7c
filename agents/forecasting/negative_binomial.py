"""Quantiles of the negative binomial distribution, read from a table.

With mean μ and variance v > μ its size is r = μ²/(v − μ). The exact quantile (SciPy's) takes a hundred times as long as
a look at a table over log μ and log r, and between whole numbers the table's straight lines do no harm.

>>> quantiles(np.array([4.0]), np.array([12.0])).round(1)
array([[ 3. ,  6.4,  8.4, 10.4, 15.7]], dtype=float32)
"""

from functools import cache
from math import log

import numpy as np
import numpy.typing as npt
from scipy.stats import nbinom

from agents.forecasting.arrays import Floats
from agents.forecasting.base import LEVELS

_MEANS = (log(0.003), log(3000.0), 70)
_SIZES = (log(0.02), log(50.0), 24)


def quantiles(mean: npt.NDArray[np.float64], variance: npt.NDArray[np.float64]) -> Floats:
    """Quantiles at LEVELS, a row for each mean; a mean beyond the table is a gamma-like multiple of its last."""
    table = _table()
    inside = np.clip(mean, 0.003, 2999.0)
    spread = variance * (inside / np.maximum(mean, 0.003)) ** 2
    size = np.clip(inside * inside / np.maximum(spread - inside, 1e-3 * inside), 0.0201, 49.9)
    row = (np.log(inside) - _MEANS[0]) * ((_MEANS[2] - 1) / (_MEANS[1] - _MEANS[0]))
    column = (np.log(size) - _SIZES[0]) * ((_SIZES[2] - 1) / (_SIZES[1] - _SIZES[0]))
    i, j = row.astype(np.intp), column.astype(np.intp)
    a, b = (row - i)[:, None], (column - j)[:, None]
    near = (1 - b) * table[i, j] + b * table[i, j + 1]
    far = (1 - b) * table[i + 1, j] + b * table[i + 1, j + 1]
    scale = np.maximum(mean / inside, 1.0)[:, None]
    return (((1 - a) * near + a * far) * scale).astype(np.float32)


@cache
def _table() -> npt.NDArray[np.float64]:
    means, sizes = np.exp(np.linspace(*_MEANS)), np.exp(np.linspace(*_SIZES))
    mean, size = np.meshgrid(means, sizes, indexing="ij")
    return np.stack([nbinom.ppf(level, size, size / (size + mean)) for level in LEVELS], axis=-1)
