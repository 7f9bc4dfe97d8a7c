"""Projected stock: plain numbers and arrays agree, and both agree with simulation and with exact theory."""

import numpy as np
import pytest
from scipy.stats import poisson

from agents.forecasting.base import DemandForecast
from agents.policies.base import Economics, PipelineOrder, Situation
from agents.policies.projection.arrivals import expected_arrivals
from agents.policies.projection.outlook import Outlook
from agents.policies.projection.positive_part import one_positive_part, positive_part
from agents.policies.projection.route import route
from agents.policies.projection.stock_left import one_stock_left, stock_left
from agents.policies.rules.levels import target
from agents.policies.rules.lots import lot
from agents.policies.rules.pil import Pil


@pytest.mark.parametrize(
    "lead_time",
    [(1.0,), (0.0, 1.0), (0, 0, 0, 0, 1.0), (0.1, 0.2, 0.3, 0.2), (0.0,) * 14 + (1.0,), (0.0,) * 3 + (1 / 12,) * 12],
)
@pytest.mark.parametrize("lost", [True, False])
def test_plain_numbers_and_arrays_agree(lead_time: tuple[float, ...], lost: bool) -> None:  # noqa: FBT001
    way, chance = route(tuple(map(float, lead_time))), np.random.default_rng(3)
    size, units = len(way.blocks), chance.integers(0, 9, way.longest + 1)
    units[way.longest] = 0
    used, variances = chance.uniform(1, 9, size), chance.uniform(1, 30, size)
    arrays = stock_left(
        np.array([4.0]), units[:, None].astype(float), used[:, None], variances[:, None], way, lost=lost
    )
    underway = tuple(PipelineOrder(int(q), float(way.longest - age), age) for age, q in enumerate(units, start=1) if q)
    forecast = DemandForecast(1, 1.0, 1.0, (1.0,) * 5, (1.0,))
    situation = Situation("A@X", 1, 4, underway, tuple(map(float, lead_time)), forecast, Economics(1.0, 9.0))
    seen = Outlook(used.tolist(), variances.tolist(), 1.0, 1.0)
    plain = one_stock_left(4.0, expected_arrivals(situation, way), seen, way, lost=lost)
    assert plain == pytest.approx([float(arrays[0][0]), float(arrays[1][0])], rel=1e-6)


def test_the_positive_part_of_stock() -> None:
    drawn = np.maximum(np.random.default_rng(1).normal(1.5, 2.0, 400_000), 0.0)
    mean, variance = positive_part(np.array([1.5]), np.array([4.0]))
    assert mean[0] == pytest.approx(drawn.mean(), rel=0.03)
    assert variance[0] == pytest.approx(drawn.var(), rel=0.05)
    assert one_positive_part(1.5, 4.0) == pytest.approx((float(mean[0]), float(variance[0])))
    assert one_positive_part(-1e6, 1.0)[0] == 0.0
    assert one_positive_part(1e6, 1.0) == (1e6, 1.0)


@pytest.mark.parametrize("mean", [5.0, 20.0, 100.0])
@pytest.mark.parametrize("ratio", [0.5, 0.8, 0.9, 0.95, 0.975])
def test_without_lead_time_the_target_is_the_newsvendors(mean: float, ratio: float) -> None:
    found = target(mean, mean, 0.0, Economics(1.0, ratio / (1.0 - ratio), critical_ratio=ratio))
    assert abs(found - poisson(mean).ppf(ratio)) <= 1.0


@pytest.mark.parametrize("lead", [0, 2, 4])
@pytest.mark.parametrize("mean, ratio, holding", [(5.0, 0.9, 1.0), (20.0, 0.95, 0.5)])
def test_with_backorders_it_is_base_stock(lead: int, mean: float, ratio: float, holding: float) -> None:
    horizon = lead + 1
    forecast = DemandForecast(horizon, mean * horizon, mean * horizon, (mean * horizon,) * 5, (mean,) * horizon)
    terms = Economics(holding, holding * ratio / (1 - ratio), 0.0, ratio, "backorder")
    situation = Situation(
        "A@X", 1, 3, tuple(PipelineOrder(2, j, 1) for j in range(lead)), (0.0,) * lead + (1.0,), forecast, terms
    )
    wanted = poisson(mean * horizon).ppf(ratio) - situation.position
    assert abs(Pil().decide(None, situation).quantity - wanted) <= 1.0


@pytest.mark.parametrize("mean, s, level", [(10, 6, 40), (20, 14, 62), (40, 33, 87), (65, 56, 75)])
def test_lots_are_near_zheng_and_federgruens(mean: int, s: int, level: int) -> None:
    found = lot(float(mean), float(mean), 0.0, Economics(1.0, 9.0, 64.0, 0.9))
    assert abs(found.low - s) <= 1.5
    assert abs(found.high - level) <= 0.06 * level
