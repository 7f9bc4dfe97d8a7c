"""Demand over an interval of random length is the mixture over its lengths."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.forecasting.base import LEVELS, DemandForecast
from agents.forecasting.interval import over_interval


def made_of(draws: np.ndarray, mean_a_period: float, periods: int) -> DemandForecast:
    return DemandForecast(
        float(periods),
        mean_a_period * periods,
        float(draws.var()),
        tuple(np.quantile(draws, LEVELS).tolist()),
        (mean_a_period,) * periods,
    )


def test_a_certain_length_changes_nothing() -> None:
    forecast = DemandForecast(3.0, 30.0, 20.0, (30.0, 33.0, 35.0, 37.0, 40.0), (10.0,) * 3)
    assert over_interval(forecast, (0.0, 0.0, 1.0), review_periods=1) == forecast


@pytest.mark.parametrize("mean", [0.4, 3.0, 25.0])
def test_an_interval_agrees_with_drawing_lengths_and_demands(mean: float) -> None:
    chance, count = np.random.default_rng(8), 200_000
    lengths = chance.choice([2, 4, 9], count, p=[0.5, 0.3, 0.2]) + 1
    came = chance.negative_binomial(2.0 * lengths, 2.0 / (2.0 + mean))
    longest = made_of(chance.negative_binomial(20.0, 2.0 / (2.0 + mean), count), mean, 10)
    mixed = over_interval(longest, (0.0, 0.0, 0.5, 0.0, 0.3, 0.0, 0.0, 0.0, 0.0, 0.2), review_periods=1)
    assert mixed.mean == pytest.approx(came.mean(), rel=0.01)
    assert mixed.variance == pytest.approx(came.var(), rel=0.03)
    assert mixed.horizon == pytest.approx(lengths.mean(), rel=0.01)
    for level, quantile in zip(LEVELS, mixed.quantiles, strict=True):
        assert (came < quantile).mean() - 0.025 <= level <= (came <= quantile + 0.5).mean() + 0.025


def test_uncertainty_of_the_lead_time_asks_for_more() -> None:
    forecast = DemandForecast(7.0, 70.0, 70.0, (70.0, 77.0, 81.0, 84.0, 90.0), (10.0,) * 7)
    sure = over_interval(forecast, (0.0, 0.0, 0.0, 1.0), 1)
    unsure = over_interval(forecast, (0.0, 0.25, 0.25, 0.0, 0.25, 0.25), 1)
    assert sure.mean == unsure.mean == 40.0
    assert unsure.quantile(0.95) > sure.quantile(0.95) + 10.0
    assert unsure.variance > sure.variance + 100.0


def test_an_order_that_never_comes_has_no_interval() -> None:
    forecast = DemandForecast(4.0, 40.0, 9.0, (40.0, 44.0, 46.0, 47.0, 50.0), (10.0,) * 4)
    assert over_interval(forecast, (0.0, 0.4, 0.0, 0.4), 1) == over_interval(forecast, (0.0, 0.5, 0.0, 0.5), 1)
    assert over_interval(forecast, (0.0,), 1) == forecast


def test_a_shorter_interval_has_less_spread_by_the_root_of_its_share() -> None:
    forecast = DemandForecast(4.0, 40.0, 16.0, (40.0, 44.0, 46.0, 47.0, 50.0), (10.0,) * 4)
    assert over_interval(forecast, (1.0,), 1).quantiles == pytest.approx((10.0, 12.0, 13.0, 13.5, 15.0))


def test_closed_periods_count_nothing() -> None:
    forecast = DemandForecast(4.0, 20.0, 9.0, (20.0, 22.0, 23.0, 24.0, 26.0), (10.0, 0.0, 0.0, 10.0))
    short, long = over_interval(forecast, (1.0,), 1), over_interval(forecast, (0.0, 0.0, 1.0), 1)
    assert short.mean == long.mean == 10.0
    assert short.quantiles == long.quantiles


@given(
    st.lists(st.floats(0.0, 1e9), min_size=5, max_size=5),
    st.lists(st.floats(0.0, 1e8), min_size=1, max_size=12),
    st.lists(st.floats(0.0, 1.0), min_size=1, max_size=12),
    st.integers(0, 5),
)
def test_an_interval_is_sane_whatever_is_forecast(
    quantiles: list[float], path: list[float], chances: list[float], review: int
) -> None:
    whole = max(sum(chances), 1.0)
    forecast = DemandForecast(float(len(path)), sum(path), 7.0, tuple(sorted(quantiles)), tuple(path))
    mixed = over_interval(forecast, [chance / whole for chance in chances], review)
    numbers = (mixed.mean, mixed.variance, mixed.horizon, *mixed.quantiles, *mixed.path)
    assert all(math.isfinite(number) and number >= 0.0 for number in numbers)
    assert list(mixed.quantiles) == sorted(mixed.quantiles)
    assert sum(mixed.path) == pytest.approx(mixed.mean, rel=1e-6, abs=1e-6)
