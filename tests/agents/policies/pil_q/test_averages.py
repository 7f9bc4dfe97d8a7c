"""Whom to believe: errors decide, once forecasts have disagreed for enough periods."""

import numpy as np
import pytest

from agents.kernel.compiled import Records
from agents.policies.pil_q.averages import AVERAGES, excess, learn, sound


def lived(demands: list[float], forecasts: list[float]) -> Records:
    """Averages that met these demands beside these forecasts."""
    averages = np.zeros(1, AVERAGES)
    for demand, forecast in zip(demands, forecasts, strict=True):
        learn(averages, demand, forecast)
    return averages


def dearer(averages: Records) -> list[float]:
    """By what share each source costs more, over two periods."""
    shares = np.empty(4)
    excess(averages[0], 2, shares)
    return shares.tolist()


def test_quick_averages_are_dearer_where_demand_is_steady() -> None:
    demands = np.random.default_rng(1).poisson(5.0, 400).astype(float).tolist()
    forecast, running_mean, slow, quick = dearer(lived(demands, [-1.0] * 400))
    assert forecast == pytest.approx(0.0, abs=0.01)
    assert running_mean == pytest.approx(0.0, abs=0.01)
    assert 0.01 < slow < quick < 0.5


def test_a_forecast_that_misses_a_rise_is_soon_doubted() -> None:
    demands = np.random.default_rng(2).poisson([5.0] * 60 + [15.0] * 30).astype(float).tolist()
    before, after = dearer(lived(demands[:60], [5.0] * 60)), dearer(lived(demands, [5.0] * 90))
    assert before[0] < min(before[2:])
    assert after[0] > 0.5 > after[3]


def test_a_forecast_that_knows_more_is_believed() -> None:
    demands = [2.0, 2.0, 2.0, 20.0] * 10
    excess = dearer(lived(demands, list(demands)))
    assert excess[0] == 0.0
    assert min(excess[1:]) > 1.0


def test_few_periods_do_not_overturn_a_forecast() -> None:
    excess = dearer(lived([5.0, 9.0, 8.0], [-1.0, 5.0, 5.0]))
    assert excess[0] < 0.25


def test_what_is_no_averages_is_refused() -> None:
    averages = lived([1.0, 2.0], [-1.0, -1.0])
    assert sound(averages[0])
    for name, broken in (("variance", -1.0), ("errors", np.nan), ("apart", -1e-9)):
        wrong = averages.copy()
        wrong[name] = broken
        assert not sound(wrong[0])
