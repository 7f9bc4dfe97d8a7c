import math
from collections.abc import Callable

import numpy as np
import pytest

from agents.kernel import arithmetic

CHANCE = np.random.default_rng(1)
FUNCTIONS: dict[str, tuple[Callable[[float], float], Callable[[float], float], np.ndarray, float]] = {
    "exp": (arithmetic.exp, math.exp, CHANCE.uniform(-690, 690, 5000), 1e-15),
    "log": (arithmetic.log, math.log, np.exp(CHANCE.uniform(-600, 600, 5000)), 1e-15),
    "log near 1": (arithmetic.log, math.log, CHANCE.uniform(0.5, 1.5, 5000), 1e-15),
    "log1p": (arithmetic.log1p, math.log1p, np.exp(CHANCE.uniform(-50, 20, 5000)), 2e-15),
    "softplus": (arithmetic.softplus, lambda x: float(np.logaddexp(0.0, x)), CHANCE.uniform(-50, 50, 5000), 2e-15),
    "logistic": (arithmetic.logistic, lambda x: 1.0 / (1.0 + math.exp(-x)), CHANCE.uniform(-50, 50, 5000), 2e-15),
    "upper tail": (
        arithmetic.upper_tail,
        lambda x: 0.5 * math.erfc(x / math.sqrt(2.0)),
        CHANCE.uniform(-8.0, 20.0, 5000),
        1e-12,
    ),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_what_the_library_has(name: str) -> None:
    ours, known, places, share = FUNCTIONS[name]
    worst = max(abs(ours(float(x)) / known(float(x)) - 1.0) for x in places)
    assert worst <= share


def test_what_is_too_large_or_too_small_is_a_number() -> None:
    assert arithmetic.exp(1e300) == arithmetic.exp(700.0) < math.inf
    assert arithmetic.exp(-1e300) == 0.0
    assert arithmetic.softplus(-1e300) == 0.0
    assert arithmetic.softplus(1e300) == 1e300
    assert arithmetic.logistic(-1e300) == 0.0
    assert arithmetic.logistic(1e300) == 1.0
    assert arithmetic.upper_tail(40.0) >= 0.0
    assert arithmetic.upper_tail(-40.0) == 1.0


@pytest.mark.parametrize("level", [1e-12, 1e-4, 0.02, 0.5, 0.8, 0.95, 0.999999])
def test_the_normal_quantile_is_the_tails_inverse(level: float) -> None:
    found = arithmetic.normal_quantile(level)
    assert arithmetic.upper_tail(-found) == pytest.approx(level, rel=1e-9)
