"""What the blend stores of a shard stays small, and what another version or rhythm stored is left alone."""

import math
from collections.abc import Sequence

import numpy as np
import pytest

from agents.forecasting.base import Ahead, ClosedPeriod, Rhythm
from agents.forecasting.blend.blend import MOST_SHARED_MODELS, Blend
from agents.forecasting.blend.inputs import WIDTH
from agents.forecasting.blend.item import BlendState
from agents.forecasting.blend.samples import BATCH, KEPT
from agents.forecasting.blend.shared_model import SharedModel, learn
from agents.forecasting.rhythm import pace_of

DAY = 86_400_000


def plan_after(number: int, horizon: int) -> list[Ahead]:
    days = range(number + 1, number + 1 + horizon)
    return [Ahead(day * DAY, (day + 1) * DAY) for day in days]


def period(number: int, demand: float) -> ClosedPeriod:
    return ClosedPeriod(number * DAY, (number + 1) * DAY, demand)


def lived(blend: Blend, demands: Sequence[float]) -> BlendState:
    state = blend.fresh()
    for number, demand in enumerate(demands):
        blend.learn(state, "TEA-01@BER1", period(number, demand), plan_after(number, 3))
    return state


@pytest.mark.parametrize("rhythm", [Rhythm(), Rhythm(12, 30.4), Rhythm(52, 7.0), Rhythm(24, 1 / 24)])
def test_the_shared_state_of_a_shard_is_bounded(rhythm: Rhythm) -> None:
    phases = int(pace_of(rhythm)["phases"][0])
    model, inputs = SharedModel(phases), np.zeros(WIDTH, np.int16)
    for _ in range(BATCH * (KEPT // 8 + 4) + BATCH - 1):
        learn(model.record[0], model.weights, model.samples, phases, inputs, 1.0)
    assert model.record["waiting"][0] == BATCH - 1
    assert 0 <= len(model.samples) - BATCH - model.record["kept"][0] < BATCH // 8
    whole = model.weights.tobytes(), model.dump_waiting(), model.dump_kept()
    assert 400_000 < sum(map(len, whole)) < 1_000_000 / MOST_SHARED_MODELS - 1_000


def test_only_so_many_horizons_are_shared() -> None:
    blend = Blend(Rhythm())
    states = [blend.fresh() for _ in range(20)]
    parts: dict[str, bytes] = {}
    for number in range(40):
        for item, state in enumerate(states):
            blend.learn(state, str(item), period(number, 3.0), plan_after(number, 1 + item % 5))
        parts.update(blend.dump_shared())
    assert sum(len(data) for data in parts.values()) < 1_000_000


def test_what_another_version_or_rhythm_shared_is_left_alone() -> None:
    blend = Blend(Rhythm())
    state = lived(blend, [3.0, 5.0, 4.0] * 9)
    parts = blend.dump_shared()
    weekly = Blend(Rhythm(52, 7.0))
    weekly.load_shared(parts)
    forecast = weekly.forecast(lived(weekly, [5.0, 6.0, 4.0] * 9), "TEA-01@BER1", plan_after(26, 3))
    assert math.isfinite(forecast.mean)
    Blend(Rhythm()).load_shared({f"v0 {part}": b"junk" for part in parts})
    with pytest.raises(ValueError, match=r"."):
        Blend(Rhythm()).load_shared(dict.fromkeys(parts, b"junk"))
    with pytest.raises(ValueError, match=r"."):
        weekly.load(blend.dump(state))


@pytest.mark.parametrize("seed", range(4))
def test_a_damaged_state_is_refused_or_forecasts_something(seed: int) -> None:
    """Compiled code looks up what the state says, so no number may lead it astray."""
    chance, blend = np.random.default_rng(seed), Blend(Rhythm())
    written = blend.dump(lived(blend, [3.0, 5.0, 4.0, 0.0] * 12))
    refused = 0
    for _ in range(150):
        damaged = bytearray(written)
        place = 8 * int(chance.integers(len(written) // 8))
        value = chance.choice([1e300, -1e300, 1e-300, -1.0])
        damaged[place : place + 8] = chance.bytes(8) if chance.random() < 0.5 else np.float64(value).tobytes()
        try:
            state = blend.load(bytes(damaged))
        except ValueError:
            refused += 1
            continue
        for number in range(48, 53):
            blend.learn(state, "TEA-01@BER1", period(number, 4.0), plan_after(number, 3))
        assert len(blend.forecast(state, "TEA-01@BER1", plan_after(52, 3)).path) == 3
    assert 10 < refused < 140
