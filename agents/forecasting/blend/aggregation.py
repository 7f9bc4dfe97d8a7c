"""Bernstein online aggregation: experts weighed by their regret, an item's own and its shard's together.

The regret of expert k against the mixture is taken on the linearised pinball loss, r_k = g (mix − expert_k), with g the
loss's slope at the mixture; weights are ∝ exp(η_own R_own + η_shard R_shard), η = min(½ / max|r|, √(ln K / Σr²)), and
regrets fade slowly. Everything is per quantile level, and feedback comes H periods late: where several forecasts of an
item wait at a time their demands overlap and carry less news than their number suggests, so the item's own rate η is
reduced. Theory says by √H; √2 is enough here, because η is cautious already. A shard's regret is a mean over its items
and needs no such reduction.

Wintenberger: Optimal learning with Bernstein online aggregation. Machine Learning 106, 2017.
Joulani, György, Szepesvári: Online Learning under Delayed Feedback. ICML 2013.

>>> own, shard = (np.zeros(1, np.dtype(REGRETS)) for _ in range(2))
>>> begin(own)
>>> begin(shard)
>>> experts, mixture, saved = np.ones((EXPERTS, 5)), np.zeros(5), np.zeros((EXPERTS, 5))
>>> experts[4:] = 4.0
>>> for _ in range(20):
...     mix(experts, own[0], shard[0], 1, mixture)
...     save(experts, mixture, 1.0, saved)
...     add(own[0], saved, 1.0, 0.99)
>>> bool(mixture[0] < 1.6)
True
"""

from math import sqrt

import numpy as np
import numpy.typing as npt

from agents.forecasting.base import LEVELS
from agents.kernel.arithmetic import exp
from agents.kernel.compiled import Numbers, Record, Records, compiled

EXPERTS = 9
_LOG_EXPERTS = 2.1972245773362196
_MOST_REGRET = 3.0
"""Regret is clipped, so that one outlier decides nothing."""
_MOST_LATE = 2

REGRETS = [
    ("regret", np.float32, (EXPERTS, len(LEVELS))),  # faded sums of regret, and of its squares, …
    ("squares", np.float32, (EXPERTS, len(LEVELS))),
    ("greatest_square", np.float32, len(LEVELS)),  # … and the greatest square
]
"""What is known of the experts, by level."""


def begin(known: Records) -> None:
    """Trust all experts alike."""
    known["regret"], known["squares"], known["greatest_square"] = 0.0, 1e-3, 1e-6


@compiled
def save(experts: npt.NDArray[np.floating], mixture: npt.NDArray[np.floating], came: float, saved: Numbers) -> None:
    """Compute what each expert would have saved, to first order."""
    for level in range(len(LEVELS)):
        mixed = np.float64(mixture[level])
        slope = (1.0 if came <= mixed else 0.0) - LEVELS[level]
        for expert in range(EXPERTS):
            regret = slope * (mixed - np.float64(experts[expert, level]))
            saved[expert, level] = min(max(regret, -_MOST_REGRET), _MOST_REGRET)


@compiled
def add(known: Record, saved: Numbers, part: float, keep: float) -> None:
    """Take in a round of regret, of which such a part counts."""
    regret, squares, greatest = known["regret"], known["squares"], known["greatest_square"]
    for expert in range(EXPERTS):
        for level in range(len(LEVELS)):
            mean = saved[expert, level] * part
            square = mean * mean
            regret[expert, level] = np.float64(regret[expert, level]) * keep + mean
            squares[expert, level] = np.float64(squares[expert, level]) * keep + square
            greatest[level] = max(np.float64(greatest[level]), square)


@compiled
def mix(experts: Numbers, own: Record, shard: Record, late: int, mixture: Numbers) -> None:
    """The mixture of experts' quantiles, weighed by regret; an item's own comes so many rounds late."""
    slowed = _LOG_EXPERTS / min(max(late, 1), _MOST_LATE)
    for level in range(len(LEVELS)):
        whole = mixed = 0.0
        for expert in range(EXPERTS):
            weight = exp(_leaning(own, expert, level, slowed) + _leaning(shard, expert, level, _LOG_EXPERTS))
            whole += weight
            mixed += weight * experts[expert, level]
        mixture[level] = mixed / whole


@compiled
def _leaning(known: Record, expert: int, level: int, slowed: float) -> float:
    """Log weight. As regrets fade it stays below √(ln K / (1 − keep)), so its exponential is a number."""
    squares = max(
        np.float64(known["squares"][expert, level]), np.float64(known["greatest_square"][level]) * (4.0 * _LOG_EXPERTS)
    )
    return sqrt(slowed / squares) * np.float64(known["regret"][expert, level])
