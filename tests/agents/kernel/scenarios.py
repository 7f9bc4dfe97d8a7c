"""What the kernel computes in a few lives, as bytes.

`python -m tests.agents.kernel.scenarios` prints the hash of each.
"""

import hashlib
import json
import sys
from collections.abc import Callable
from math import sqrt

import numpy as np

from agents.forecasting.base import Ahead, ClosedPeriod, DemandForecast, Rhythm
from agents.forecasting.blend.blend import Blend
from agents.forecasting.interval import over_interval
from agents.kernel import arithmetic
from agents.policies.base import Economics, Outcome, PipelineOrder, Situation
from agents.policies.pil_q.pil_q import PilQ
from agents.policies.rules.lots import lot

_DAY = 86_400_000


def functions() -> bytes:
    """Every function of the arithmetic, at places all over its range."""
    chance = np.random.default_rng(7)
    small, large, levels = chance.uniform(-9, 9, 500), chance.uniform(-750, 750, 500), chance.uniform(0, 1, 200)
    found = [
        function(float(x))
        for function in (arithmetic.exp, arithmetic.softplus, arithmetic.logistic, arithmetic.upper_tail)
        for x in (*small, *large)
    ]
    found += [function(float(x)) for function in (arithmetic.log, arithmetic.log1p) for x in np.exp(large * 0.9)]
    found += [arithmetic.normal_quantile(float(level)) for level in levels]
    return np.array(found).tobytes()


def intervals() -> bytes:
    """Demand over intervals of random length."""
    chance, found = np.random.default_rng(8), list[float]()
    for _ in range(40):
        path = chance.gamma(1.0, 5.0, int(chance.integers(1, 12)))
        levels = np.sort(path.sum() * chance.gamma(4.0, 0.25, 5))
        forecast = DemandForecast(
            float(len(path)), float(path.sum()), 7.0, tuple(levels.tolist()), tuple(path.tolist())
        )
        mixed = over_interval(forecast, chance.dirichlet(np.ones(len(path))).tolist(), 1)
        found += [mixed.mean, mixed.variance, *mixed.quantiles, *mixed.path]
    return np.array(found).tobytes()


def lots() -> bytes:
    """Lots of items of all sizes."""
    chance, found = np.random.default_rng(9), list[float]()
    for _ in range(8):
        mean, variance, left, shortage, fee = np.exp(chance.uniform(-2.0, 4.0, 5)).tolist()
        found += lot(mean, mean * variance, left, Economics(1.0, shortage, order_cost=fee))
    return np.array(found).tobytes()


def forecasts() -> bytes:
    """Items of a shard, daily and monthly ones, with prices and promotions, and days on which they are shut."""
    chance, found = np.random.default_rng(10), bytearray()
    for rhythm, length in ((Rhythm(), _DAY), (Rhythm(12, 30.4), 30 * _DAY)):
        blend = Blend(rhythm)
        states = [blend.fresh() for _ in range(6)]
        for number in range(36):
            plans = (0.3 * (chance.random((6, 6)) < 0.1)).tolist()
            for item, state in enumerate(states):
                plan = plans[item]
                ahead = [
                    Ahead(
                        at * length,
                        (at + 1) * length,
                        at % 9 > 0,
                        plan[at - number],
                        3.0 + item % 2 - plan[at - number],
                    )
                    for at in range(number + 1, number + 5 + item // 4)
                ]
                demand, price = float(chance.poisson(0.3 * 4.0**item)), ahead[0].price if item % 2 else None
                closed = ClosedPeriod(
                    number * length, (number + 1) * length, demand, number % 8 == 1, number % 9 > 0, plan[0], price
                )
                blend.learn(state, str(item), closed, ahead)
                forecast = blend.forecast(state, str(item), ahead)
                found += np.array([forecast.mean, forecast.variance, *forecast.quantiles, *forecast.path]).tobytes()
        found += b"".join(map(blend.dump, states)) + b"".join(blend.dump_shared().values())
    return bytes(found)


def policies() -> bytes:
    """Lives of items under `pil-q`: with lost sales and random lead times; with backorders and costs of orders."""
    policy, found = PilQ(), b""
    lives = (
        ((0.0, 0.25, 0.25, 0.0, 0.25, 0.125), Economics(1.0, 19.0)),
        ((0.0, 0.0, 1.0), Economics(1.0, 9.0, 30.0, 0.9, "backorder")),
    )
    for seed, (lead_time, terms) in enumerate(lives):
        state, chance = policy.fresh(), np.random.default_rng(seed)
        for period in range(14):
            demand, path = float(chance.poisson(6.0)), tuple(chance.uniform(3.0, 9.0, len(lead_time)).tolist())
            quantiles = tuple(sum(path) + deviations * sqrt(sum(path)) for deviations in (-0.1, 0.8, 1.4, 1.9, 2.9))
            forecast = DemandForecast(float(len(path)), sum(path), 1.5 * sum(path), quantiles, path)
            underway = (PipelineOrder(5, 1.0, 1), PipelineOrder(period, 2.0, 2))
            here = Situation("A@X", period, int(chance.integers(0, 20)), underway, lead_time, forecast, terms)
            policy.learn(state, here, Outcome(demand, demand, 0, censored=period % 5 == 4))
            advice = policy.decide(state, here)
            found += np.array((advice.quantity, advice.expected_cost, advice.baseline_quantity)).tobytes()
        found += policy.dump(state)
    return found + b"".join(policy.dump_shared().values())


SCENARIOS: dict[str, Callable[[], bytes]] = {
    "functions": functions,
    "intervals": intervals,
    "lots": lots,
    "forecasts": forecasts,
    "policies": policies,
}

if __name__ == "__main__":
    hashes = {name: hashlib.sha256(scenario()).hexdigest() for name, scenario in SCENARIOS.items()}
    sys.stdout.write(json.dumps(hashes))
