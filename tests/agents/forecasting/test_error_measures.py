"""Figures of forecasts, worked out by hand."""

import numpy as np
import pytest

from agents.forecasting.base import LEVELS
from agents.forecasting.error_measures import Measures, measure, sums_ahead

DEMAND = np.array([[2.0, 4.0, 0.0, 6.0, 4.0, 2.0]])


def figures(means: float, quantile: float, warm_up: int = 2, demand: np.ndarray = DEMAND) -> Measures:
    shape = demand.shape
    first = np.zeros(len(demand), np.int64)
    return measure(demand, first, np.full(shape, means), np.full((*shape, 5), quantile), 2, warm_up)


def test_only_forecasts_of_whole_horizons_after_the_warm_up_count() -> None:
    found = figures(10.0, 10.0)
    assert found.forecasts == 2  # made at the end of periods 2 and 3, for 6 + 4 and 4 + 2
    assert (found.mae, found.mse, found.rmse) == (2.0, 8.0, 8.0**0.5)
    assert found.wape == pytest.approx(4 / 16)
    assert found.bias == pytest.approx(4 / 16)
    assert found.coverage_95 == 1.0


def test_too_little_is_a_negative_bias_and_covers_nothing() -> None:
    found = figures(4.0, 4.0)
    assert found.bias == pytest.approx(-8 / 16)
    assert found.coverage_80 == 0.0


def test_pinball_loss_is_scaled_by_the_next_like_the_last() -> None:
    found = figures(10.0, 10.0)
    # Errors of the quantiles: 0 and -4, so a loss of 2 (1 - level) on average. Sums: 4, 6, 10, 6; like the last: 6, 0.
    loss = np.mean([2.0 * (1.0 - level) for level in LEVELS])
    assert found.spl == pytest.approx(loss / 3.0)
    assert found.nv95 == pytest.approx(20.0 * 2.0 * 0.05 / 8.0)
    assert found.nv80 == pytest.approx(5.0 * 2.0 * 0.2 / 8.0)


@pytest.mark.parametrize("demand", [np.zeros((2, 6)), np.ones((1, 1)), np.ones((3, 2))])
def test_nothing_to_judge_is_no_number_out_of_range(demand: np.ndarray) -> None:
    found = figures(0.0, 0.0, demand=demand)
    assert all(np.isfinite(getattr(found, name)) for name in found.__struct_fields__)


def test_sums_end_where_the_history_does() -> None:
    assert np.isnan(sums_ahead(DEMAND, 7)).all()
    assert sums_ahead(DEMAND, 1)[0, :5].tolist() == DEMAND[0, 1:].tolist()
