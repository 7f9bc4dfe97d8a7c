"""Whom to believe: errors decide, once forecasts have disagreed for enough periods."""

import numpy as np
import pytest

from agents.policies.pil_q.averages import Averages


def lived(demands: list[float], forecasts: list[float | None]) -> Averages:
    """Averages that met these demands beside these forecasts."""
    averages = Averages()
    for demand, forecast in zip(demands, forecasts, strict=True):
        averages.learn(demand, forecast)
    return averages


def test_quick_averages_are_dearer_where_demand_is_steady() -> None:
    demands = np.random.default_rng(1).poisson(5.0, 400).astype(float).tolist()
    forecast, running_mean, slow, quick = lived(demands, [None] * 400).excess(2)
    assert forecast == pytest.approx(0.0, abs=0.01)
    assert running_mean == pytest.approx(0.0, abs=0.01)
    assert 0.01 < slow < quick < 0.5


def test_a_forecast_that_misses_a_rise_is_soon_doubted() -> None:
    demands = np.random.default_rng(2).poisson([5.0] * 60 + [15.0] * 30).astype(float).tolist()
    before, after = lived(demands[:60], [5.0] * 60).excess(2), lived(demands, [5.0] * 90).excess(2)
    assert before[0] < min(before[2:])
    assert after[0] > 0.5 > after[3]


def test_a_forecast_that_knows_more_is_believed() -> None:
    demands = [2.0, 2.0, 2.0, 20.0] * 10
    excess = lived(demands, list(demands)).excess(2)
    assert excess[0] == 0.0
    assert min(excess[1:]) > 1.0


def test_few_periods_do_not_overturn_a_forecast() -> None:
    excess = lived([5.0, 9.0, 8.0], [None, 5.0, 5.0]).excess(2)
    assert excess[0] < 0.25


def test_states_of_unlike_layout_are_refused() -> None:
    averages = lived([1.0, 2.0], [None, None])
    assert averages.fits()
    averages.apart.pop()
    assert not averages.fits()
