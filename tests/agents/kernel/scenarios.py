"""What the kernel computes in a few lives, as bytes.

`python -m tests.agents.kernel.scenarios NAME` prints the hash of one.
"""

import hashlib
import sys
from collections.abc import Callable

import numpy as np

from agents.forecasting.base import DemandForecast
from agents.forecasting.interval import over_interval
from agents.kernel import arithmetic
from agents.policies.base import Economics
from agents.policies.rules.lots import lot


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


SCENARIOS: dict[str, Callable[[], bytes]] = {"functions": functions, "intervals": intervals, "lots": lots}

if __name__ == "__main__":
    sys.stdout.write(hashlib.sha256(SCENARIOS[sys.argv[1]]()).hexdigest())
