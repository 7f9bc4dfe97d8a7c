"""Quantiles of the negative binomial distribution, read from a table.

With mean μ and variance v > μ its size is r = μ²/(v − μ). A look at a table over log μ and log r takes a hundredth of
summing up its chances, and between whole numbers the table's straight lines do no harm.

>>> found = np.zeros(len(LEVELS))
>>> quantiles(table(), 4.0, 12.0, 1.0, found)
>>> found.round(1)
array([ 3. ,  6.4,  8.4, 10.4, 15.7])
"""

from functools import cache

import numpy as np

from agents.forecasting.base import LEVELS
from agents.kernel.arithmetic import exp, log
from agents.kernel.compiled import Numbers, compiled

MEANS, SIZES = 70, 24
_LOG_LEAST_MEAN, _LOG_MOST_MEAN = -5.809142990314028, 8.006367567650246
_LOG_LEAST_SIZE, _LOG_MOST_SIZE = -3.912023005428146, 3.912023005428146
"""Of 0.003 and 3,000, and of 0.02 and 50."""
_ROWS = (MEANS - 1) / (_LOG_MOST_MEAN - _LOG_LEAST_MEAN)
_COLUMNS = (SIZES - 1) / (_LOG_MOST_SIZE - _LOG_LEAST_SIZE)
_LEAST_MEAN, _MOST_MEAN = 0.00301, 2990.0
_LEAST_SIZE, _MOST_SIZE = 0.0201, 49.9


@cache
def table() -> Numbers:
    """The quantiles at LEVELS by mean and size."""
    found = np.zeros((MEANS, SIZES, len(LEVELS)))
    fill(found)
    return found


@compiled((np.float64, 3))
def fill(table: Numbers) -> None:
    """Compute the table: the first count whose chances, with those of all before it, reach a level."""
    for row in range(MEANS):
        for column in range(SIZES):
            mean, size = exp(_LOG_LEAST_MEAN + row / _ROWS), exp(_LOG_LEAST_SIZE + column / _COLUMNS)
            fails, count = mean / (size + mean), 0
            chance = exp(size * log(size / (size + mean)))
            reached = chance
            for level in range(len(LEVELS)):
                while reached < LEVELS[level]:
                    count += 1
                    chance *= (size + (count - 1)) / count * fails
                    reached += chance
                table[row, column, level] = count


@compiled
def quantiles(table: Numbers, mean: float, variance: float, unit: float, found: Numbers) -> None:
    """Quantiles at LEVELS over `unit`; those of a mean beyond the table are a multiple of its last's."""
    inside = min(mean, _MOST_MEAN) if mean > _LEAST_MEAN else _LEAST_MEAN
    multiple = max(mean / inside, 1.0)
    excess = variance / (multiple * multiple * inside) - 1.0
    least = inside / _MOST_SIZE
    excess = min(excess, inside / _LEAST_SIZE) if excess > least else least
    log_mean = log(inside)
    row = (log_mean - _LOG_LEAST_MEAN) * _ROWS
    column = (log_mean - log(excess) - _LOG_LEAST_SIZE) * _COLUMNS
    i, j = int(row), int(column)
    down, right = row - i, column - j
    for level in range(len(LEVELS)):
        above = (1.0 - right) * table[i, j, level] + right * table[i, j + 1, level]
        below = (1.0 - right) * table[i + 1, j, level] + right * table[i + 1, j + 1, level]
        found[level] = ((1.0 - down) * above + down * below) * multiple / unit
