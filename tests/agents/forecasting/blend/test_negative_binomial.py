"""The table of the negative binomial holds SciPy's quantiles."""

import numpy as np
import pytest
from scipy.stats import nbinom

from agents.forecasting.base import LEVELS
from agents.forecasting.blend.negative_binomial import MEANS, SIZES, quantiles, table


def test_the_table_is_scipys() -> None:
    means, sizes = np.geomspace(0.003, 3000.0, MEANS), np.geomspace(0.02, 50.0, SIZES)
    mean, size = np.meshgrid(means, sizes, indexing="ij")
    theirs = np.stack([nbinom.ppf(level, size, size / (size + mean)) for level in LEVELS], axis=-1)
    assert (table() == theirs).mean() > 0.999
    assert np.abs(table() - theirs).max() <= 1.0  # where a chance is a level to the last bit


@pytest.mark.parametrize("mean, variance", [(0.5, 0.9), (4.0, 12.0), (60.0, 500.0), (900.0, 40_000.0)])
def test_between_its_places_the_table_is_near(mean: float, variance: float) -> None:
    found, size = np.zeros(len(LEVELS)), mean * mean / (variance - mean)
    quantiles(table(), mean, variance, 1.0, found)
    assert found == pytest.approx(nbinom.ppf(LEVELS, size, size / (size + mean)), abs=1.0, rel=0.02)


def test_beyond_the_table_quantiles_grow_with_the_mean() -> None:
    last, beyond = np.zeros(len(LEVELS)), np.zeros(len(LEVELS))
    quantiles(table(), 2990.0, 1e6, 1.0, last)
    quantiles(table(), 29_900.0, 1e8, 1.0, beyond)
    assert beyond == pytest.approx(10.0 * last)
