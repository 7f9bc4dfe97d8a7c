"""What the kernel computes in a few lives, as bytes.

`python -m tests.agents.kernel.scenarios NAME` prints the hash of one.
"""

import hashlib
import sys
from collections.abc import Callable

import numpy as np

from agents.kernel import arithmetic


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


SCENARIOS: dict[str, Callable[[], bytes]] = {"functions": functions}

if __name__ == "__main__":
    sys.stdout.write(hashlib.sha256(SCENARIOS[sys.argv[1]]()).hexdigest())
