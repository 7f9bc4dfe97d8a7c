"""What every registered forecaster keeps: a new line in the registry is tested here without another line."""

import copy
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.forecasting.base import LEVELS, Ahead, ClosedPeriod, DemandForecast, Forecaster, Rhythm
from agents.forecasting.correction import CorrectedPast
from agents.forecasting.registry import DEFAULT, FORECASTERS

DAY = 86_400_000
NAMES = sorted(FORECASTERS)
CHEAP = [name for name in NAMES if name != "random-forest"]
MOST_BYTES = 8192
PASTS: dict[str, list[float]] = {
    "nothing": [],
    "a single point": [3.0],
    "all zeros": [0.0] * 60,
    "a huge outlier": [2.0] * 30 + [1e9] + [2.0] * 30,
    "fractions": [0.5, 1.25, 0.0, 2.5] * 15,
    "weeks": [5.0, 6.0, 4.0, 5.0, 9.0, 14.0, 0.0] * 9,
}


def plan_after(number: int, horizon: int) -> list[Ahead]:
    return [
        Ahead((number + k) * DAY, (number + k + 1) * DAY, promotion=float((number + k) % 9 == 0))
        for k in range(1, horizon + 1)
    ]


def period(number: int, demand: float, **known: Any) -> ClosedPeriod:
    return ClosedPeriod(number * DAY, (number + 1) * DAY, demand, promotion=float(number % 9 == 0), **known)


def lived(forecaster: Forecaster, demands: Sequence[float], horizon: int = 3) -> Any:
    state = forecaster.fresh()
    for number, demand in enumerate(demands):
        forecaster.learn(state, "TEA-01@BER1", period(number, demand), plan_after(number, horizon))
    return state


def assert_sane(forecast: DemandForecast, horizon: int) -> None:
    assert forecast.horizon == horizon
    assert len(forecast.path) == horizon
    assert len(forecast.quantiles) == len(LEVELS)
    numbers = (forecast.mean, forecast.variance, *forecast.quantiles, *forecast.path)
    assert all(math.isfinite(number) and number >= 0.0 for number in numbers)
    assert list(forecast.quantiles) == sorted(forecast.quantiles)
    assert sum(forecast.path) == pytest.approx(forecast.mean, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_a_forecaster_is_found_by_its_name(name: str) -> None:
    assert FORECASTERS[name](Rhythm()).name == name
    assert DEFAULT in FORECASTERS


@pytest.mark.parametrize("past", PASTS)
@pytest.mark.parametrize("name", NAMES)
def test_whatever_came_the_forecast_is_sane(name: str, past: str) -> None:
    forecaster = FORECASTERS[name](Rhythm())
    state = lived(forecaster, PASTS[past])
    for horizon in (1, 3, 20):
        assert_sane(forecaster.forecast(state, "TEA-01@BER1", plan_after(len(PASTS[past]), horizon)), horizon)


@pytest.mark.parametrize("rhythm", [Rhythm(12, 30.4), Rhythm(52, 7.0), Rhythm(24, 1 / 24), Rhythm(1, 1.0)])
@pytest.mark.parametrize("name", CHEAP)
def test_a_forecaster_of_another_rhythm_is_as_sane(name: str, rhythm: Rhythm) -> None:
    forecaster = FORECASTERS[name](rhythm)
    assert_sane(forecaster.forecast(lived(forecaster, PASTS["weeks"]), "TEA-01@BER1", plan_after(62, 3)), 3)


@pytest.mark.parametrize("name", CHEAP)
def test_looking_ahead_changes_nothing(name: str) -> None:
    forecaster = FORECASTERS[name](Rhythm())
    state = lived(forecaster, PASTS["weeks"])
    plan, before = plan_after(62, 5), forecaster.dump(state)
    untouched = copy.deepcopy(plan)
    first = forecaster.forecast(state, "TEA-01@BER1", plan)
    assert forecaster.forecast(state, "TEA-01@BER1", plan) == first
    assert plan == untouched
    assert forecaster.dump(state) == before


@pytest.mark.parametrize("name", CHEAP)
def test_closed_periods_teach_nothing_and_count_nothing(name: str) -> None:
    open_only, with_closed = FORECASTERS[name](Rhythm()), FORECASTERS[name](Rhythm())
    state, other = open_only.fresh(), with_closed.fresh()
    for number in range(40):
        closed = number % 7 == 6
        if not closed:
            open_only.learn(state, "TEA-01@BER1", period(number, 4.0))
        with_closed.learn(other, "TEA-01@BER1", period(number, 0.0 if closed else 4.0, is_open=not closed))
    plan = plan_after(40, 3)
    shut = [*plan, Ahead(plan[-1].ends, plan[-1].ends + DAY, is_open=False)]
    before, after = (
        open_only.forecast(state, "TEA-01@BER1", plan),
        with_closed.forecast(other, "TEA-01@BER1", shut),
    )
    assert after.path == (*before.path, 0.0)
    assert after.quantiles == before.quantiles


@pytest.mark.parametrize("name", CHEAP)
def test_a_stock_out_does_not_pull_the_forecast_down(name: str) -> None:
    forecaster = FORECASTERS[name](Rhythm())
    state = lived(forecaster, [6.0] * 40)
    for number in range(40, 47):
        forecaster.learn(state, "TEA-01@BER1", period(number, 0.0, censored=True))
    assert forecaster.forecast(state, "TEA-01@BER1", plan_after(47, 3)).mean > 15.0


@pytest.mark.parametrize("name", NAMES)
def test_stopped_and_restored_at_any_point_it_goes_on_bit_for_bit(name: str) -> None:
    periods = 20 if name == "random-forest" else 70
    whole = walked(name, periods, cuts=frozenset())
    assert walked(name, periods, cuts=frozenset({5, 31, 64, 65, 101, 200, 333, 401})) == whole


@pytest.mark.parametrize("slip_at", [3, 30, 58])
@pytest.mark.parametrize("name", NAMES)
def test_a_slip_of_the_pen_that_is_corrected_is_forgotten(name: str, slip_at: int) -> None:
    """Beside five items that were always right, an item says the same as one that never slipped."""
    right = corrected(name, None)
    slipped = corrected(name, slip_at)
    assert slipped.mean == pytest.approx(right.mean, rel=0.1)
    for was, now in zip(right.quantiles, slipped.quantiles, strict=True):
        assert now == pytest.approx(was, rel=0.35, abs=1.0)


def corrected(name: str, slip_at: int | None) -> DemandForecast:
    """Six items live for sixty days; the first one may slip, and is corrected in the end."""
    demand = np.random.default_rng(3).poisson(4, (6, 60)).astype(float)
    forecaster = FORECASTERS[name](Rhythm())
    states = [forecaster.fresh() for _ in range(6)]
    for number in range(60):
        for item in range(6):
            slip = 100_000.0 if item == 0 and number == slip_at else 0.0
            forecaster.learn(
                states[item], str(item), period(number, demand[item][number] + slip), plan_after(number, 4)
            )
    if slip_at is not None:
        periods = [period(number, demand[0][number]) for number in range(60)]
        was = {slip_at * DAY: int(demand[0][slip_at]) + 100_000}
        forecaster.correct(states[0], "0", CorrectedPast(periods, was))
    return forecaster.forecast(states[0], "0", plan_after(60, 4))


@pytest.mark.parametrize("name", [name for name in CHEAP if name != DEFAULT])
def test_one_that_shares_nothing_ends_where_it_would_be_without_the_mistake(name: str) -> None:
    forecaster = FORECASTERS[name](Rhythm())
    right, wrong = (
        lived(forecaster, PASTS["weeks"]),
        lived(forecaster, [*PASTS["weeks"][:40], 19.0, *PASTS["weeks"][41:]]),
    )
    periods = [period(number, demand) for number, demand in enumerate(PASTS["weeks"])]
    forecaster.correct(wrong, "TEA-01@BER1", CorrectedPast(periods, {40 * DAY: 19}))
    assert forecaster.dump(wrong) == forecaster.dump(right)


def walked(name: str, periods: int, cuts: frozenset[int]) -> list[DemandForecast]:
    """Six items; at every cut all state is dumped and everything is made anew, also between items of a period."""
    demand = np.random.default_rng(3).poisson(2, (6, periods)).astype(float).tolist()
    forecaster = FORECASTERS[name](Rhythm())
    stored: dict[str, bytes] = {}
    states = [forecaster.fresh() for _ in range(6)]
    forecasts = []
    for number in range(periods):
        plan = plan_after(number, 4)
        for item in range(6):
            forecaster.learn(states[item], str(item), period(number, demand[item][number]), plan)
            if number * 6 + item in cuts:
                stored.update(forecaster.dump_shared())
                blobs = [forecaster.dump(state) for state in states]
                forecaster = FORECASTERS[name](Rhythm())
                forecaster.load_shared(stored)
                states = [forecaster.load(blob) for blob in blobs]
            forecasts.append(forecaster.forecast(states[item], str(item), plan))
    return forecasts


@pytest.mark.parametrize("blob", [b"", b"\x00", b"\x90", b"\xc1", b"junk" * 99, b"\x93\xc0\xc0\xc0"])
@pytest.mark.parametrize("name", NAMES)
def test_a_blob_that_is_no_state_is_refused(name: str, blob: bytes) -> None:
    forecaster = FORECASTERS[name](Rhythm())
    if blob == b"\x90" and name != "blend":  # every field has a default: an empty array is a fresh state
        assert forecaster.dump(forecaster.load(blob)) == forecaster.dump(forecaster.fresh())
        return
    with pytest.raises(ValueError, match=r"."):
        forecaster.load(blob)


@pytest.mark.parametrize("horizon", [1, 7, 40])
@pytest.mark.parametrize("name", CHEAP)
def test_what_is_stored_stays_small(name: str, horizon: int) -> None:
    forecaster = FORECASTERS[name](Rhythm())
    demands = np.random.default_rng(1).poisson(300, 260).astype(float).tolist()
    state = lived(forecaster, demands, horizon)
    assert len(forecaster.dump(state)) <= MOST_BYTES


@pytest.mark.parametrize("name", ["blend", "ewma", "moving-average", "tsb"])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(demands=st.lists(st.floats(0.0, 1e9, allow_nan=False), max_size=40), horizon=st.integers(1, 12))
def test_no_demand_leads_to_nonsense(name: str, demands: list[float], horizon: int) -> None:
    forecaster = FORECASTERS[name](Rhythm())
    state = lived(forecaster, demands, horizon)
    assert_sane(forecaster.forecast(state, "TEA-01@BER1", plan_after(len(demands), horizon)), horizon)
