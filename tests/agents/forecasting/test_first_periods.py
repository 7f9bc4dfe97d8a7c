"""The first periods of a shop, when everything is young: no forecaster may say what nobody has seen.

Shops of many kinds are played from their first period on, all items in one shard. Mean and quantiles are bounded by the
demand that was seen so far, and may not contradict each other.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest

from agents.forecasting.base import LEVELS, Ahead, ClosedPeriod, DemandForecast, Rhythm
from agents.forecasting.registry import DEFAULT, FORECASTERS

HOUR = 3_600_000
RHYTHMS = {"hours": Rhythm(24, 1 / 24), "days": Rhythm(7, 1.0), "weeks": Rhythm(52, 7.0)}
PERIODS, ITEMS = 20, 12
ITEMS_OF_DEFAULT = 60
"""Enough that a shard's shared model learns within the first periods."""
MOST_MEAN, MOST_QUANTILE, MOST_PLANNED = 3.0, 6.0, 4.0
"""Times the greatest demand seen, in each period of the horizon; a promotion may be stronger than any seen."""
SEEN_LITTLE = 10.0
"""Times what the shard's items sell that an item may be given before it has sold anything."""


class YoungShop(NamedTuple):
    """Demand and promotion by item and period."""

    demand: np.ndarray
    promotion: np.ndarray


def _steady(chance: np.random.Generator, items: int) -> YoungShop:
    return _plain(chance.poisson(np.full((items, PERIODS), 20.0)))


def _of_all_sizes(chance: np.random.Generator, items: int) -> YoungShop:
    sizes = 10.0 ** np.linspace(-2, 6, items)[:, None]
    return _plain(chance.poisson(sizes * chance.gamma(4.0, 0.25, (items, PERIODS))))


def _promoted_at_once(chance: np.random.Generator, items: int) -> YoungShop:
    promotion = np.where(np.arange(PERIODS) % 7 == 3, 0.3, 0.0) * np.ones((items, 1))
    usual = 100.0 ** chance.uniform(0.2, 1.5, (items, 1))
    return YoungShop(chance.poisson(usual * np.where(promotion > 0.0, 12.0, 1.0)).astype(float), promotion)


def _with_a_typo(chance: np.random.Generator, items: int) -> YoungShop:
    demand = chance.poisson(0.5, (items, PERIODS)).astype(float)
    demand[:, 0] = 1.0
    demand[::2, 9] = 100_000.0
    return _plain(demand)


def _seldom(chance: np.random.Generator, items: int) -> YoungShop:
    return _plain(chance.poisson(0.08, (items, PERIODS)) * chance.integers(1, 9, (items, PERIODS)))


def _one_alone(chance: np.random.Generator, items: int) -> YoungShop:
    del items
    return _plain(chance.poisson(300.0, (1, PERIODS)))


def _by_night_and_day(chance: np.random.Generator, items: int) -> YoungShop:
    open_now = np.where(np.arange(PERIODS) % 8 < 3, 0.0, 1.0)
    return _plain(chance.poisson(50.0 * open_now * np.ones((items, 1))))


def _plain(demand: np.ndarray) -> YoungShop:
    return YoungShop(demand.astype(float), np.zeros(demand.shape))


SHOPS: dict[str, Callable[[np.random.Generator, int], YoungShop]] = {
    "steady": _steady,
    "of all sizes": _of_all_sizes,
    "promoted at once": _promoted_at_once,
    "with a typo": _with_a_typo,
    "seldom": _seldom,
    "one item alone": _one_alone,
    "by night and day": _by_night_and_day,
}


@pytest.mark.parametrize("rhythm", RHYTHMS)
@pytest.mark.parametrize("kind", SHOPS)
@pytest.mark.parametrize("name", sorted(FORECASTERS))
def test_first_forecasts_stay_near_what_was_seen(name: str, kind: str, rhythm: str) -> None:
    items = ITEMS_OF_DEFAULT if name == DEFAULT else ITEMS
    shop, forecaster = SHOPS[kind](np.random.default_rng(11), items), FORECASTERS[name](RHYTHMS[rhythm])
    length, horizon = round(RHYTHMS[rhythm].period_days * 24 * HOUR), 3 if rhythm == "weeks" else 6
    states = [forecaster.fresh() for _ in shop.demand]
    for period in range(PERIODS):
        for item, state in enumerate(states):
            plans = [*shop.promotion[item], *([0.0] * horizon)]
            ahead = [
                Ahead(at * length, (at + 1) * length, promotion=plans[at])
                for at in range(period + 1, period + 1 + horizon)
            ]
            closed = ClosedPeriod(
                period * length, (period + 1) * length, shop.demand[item, period], promotion=plans[period]
            )
            forecaster.learn(state, f"item {item}", closed, ahead)
            forecast = forecaster.forecast(state, f"item {item}", ahead)
            seen = shop.demand[item, : period + 1]
            stronger = max(plans[period + 1 : period + 1 + horizon]) > max(plans[: period + 1])
            most = seen.max() * (MOST_PLANNED if stronger else 1.0)
            if not seen.any():
                most = SEEN_LITTLE * max(shop.demand[:, : period + 1].mean(), 1.0)
            assert forecast.mean <= MOST_MEAN * horizon * most
            assert forecast.quantiles[-1] <= MOST_QUANTILE * horizon * most
            assert_one_distribution(forecast)


@pytest.mark.parametrize("name", sorted(FORECASTERS))
def test_after_three_weeks_a_steady_item_is_forecast_as_it_sells(name: str) -> None:
    shop, forecaster, day = _steady(np.random.default_rng(5), ITEMS), FORECASTERS[name](Rhythm()), 24 * HOUR
    plan = [Ahead(at * day, (at + 1) * day) for at in range(PERIODS, PERIODS + 5)]
    states = [forecaster.fresh() for _ in shop.demand]
    for period in range(PERIODS):
        ahead = [Ahead(at * day, (at + 1) * day) for at in range(period + 1, period + 6)]
        for item, state in enumerate(states):
            closed = ClosedPeriod(period * day, (period + 1) * day, shop.demand[item, period])
            forecaster.learn(state, f"item {item}", closed, ahead)
    forecasts = [forecaster.forecast(state, f"item {item}", plan) for item, state in enumerate(states)]
    assert np.mean([forecast.mean for forecast in forecasts]) == pytest.approx(100.0, rel=0.3)
    assert np.mean([forecast.quantiles[-2] for forecast in forecasts]) < 180.0


def assert_one_distribution(forecast: DemandForecast) -> None:
    """A mean between what a distribution with these quantiles can have at least, and at most with a long tail."""
    shares = np.diff([*LEVELS, 1.0])
    quantiles = np.array(forecast.quantiles)
    least = float(shares @ quantiles)
    most = 0.5 * quantiles[0] + float(np.diff(LEVELS) @ quantiles[1:]) + 0.05 * quantiles[-1]
    assert list(forecast.quantiles) == sorted(forecast.quantiles)
    assert forecast.mean >= least * (1.0 - 1e-9)
    assert forecast.mean <= most * (1.0 + 1e-9) + 1e-9
    assert sum(forecast.path) == pytest.approx(forecast.mean, rel=1e-6, abs=1e-9)
