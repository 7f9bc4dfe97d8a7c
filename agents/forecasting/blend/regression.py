"""One linear regression per quantile, learned in mini-batches by AdaGrad on the pinball loss; weights are averaged.

It is River's `LinearRegression(loss=Quantile(τ), optimizer=AdaGrad)` for all levels and a batch of samples at once; a
test holds the two equal, sample by sample, and docs/decisions/0020 says why it is written anew. Beside dense inputs
there are sparse ones, each a place whose weight is added. A column for the mean learns the exponential of its score
by the Poisson deviance, so that it aims at the mean and not at a quantile.

Three regressions stand in one, because they touch the same weights' places; each has a column for every level:

- *quick*: at high rates, for when things change;
- *steady*: the strongest expert, and the one that knows the mean;
- *stacked*: sees the other experts' quantiles besides, so that it learns which of them to follow in which situation.

Weights are (3, rows, columns): those that learn, their averages, which predict, and accumulated squared gradients. The
rows are the places, from `dense` on with the rates of dense inputs; then, from `first` on, the inputs.

Duchi, Hazan, Singer: Adaptive Subgradient Methods for Online Learning and Stochastic Optimization. JMLR 12, 2011.
Shamir, Zhang: Stochastic Gradient Descent for Non-smooth Optimization: Convergence Results and Optimal Averaging
Schemes. ICML 2013 (polynomial-decay averaging).
"""

from math import sqrt
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from agents.forecasting.base import LEVELS
from agents.forecasting.blend.inputs import FLOOR, INPUTS
from agents.kernel.arithmetic import exp, log
from agents.kernel.compiled import Numbers, Places, compiled

Weights: TypeAlias = npt.NDArray[np.floating]
Flags: TypeAlias = npt.NDArray[np.bool_]
QUICK, STEADY, STACKED, MEAN = 0, len(LEVELS), 2 * len(LEVELS), 3 * len(LEVELS)
"""First columns of the regressions, and the mean's."""
COLUMNS = MEAN + 1
"""Loops over columns end at an array's length, which the compiler makes wider instructions of than of a constant."""
LEARNING, AVERAGED, SQUARES = 0, 1, 2
SPARSE_START, DENSE_START = 1.0, 0.01
"""What the accumulated squared gradients begin with."""
_SPARSE = np.repeat((0.02, 0.003, 0.003, 0.003), (5, 5, 5, 1))
_DENSE = np.repeat((0.05, 0.02, 0.01, 0.02), (5, 5, 5, 1))
_OF_SEEN = np.repeat((0.0, 0.01, 0.0), (10, 5, 1))
"""Learning rates by column: of places, of inputs, and of the experts that only the stacked regression sees."""
_DECAY = 20.0
_LEAST_AVERAGING = 0.004
"""The averaged weights are those of the last twentieth of all batches, about, and of the last 250 at most."""
_MOST_DEVIANCE = 10.0
MOST_SCORE = 6.0
_MOST_LEAP, _LITTLE = 0.5, 1e-6
"""By which a batch may move the score of one of its samples."""


@compiled
def score_places(weights: Weights, places: Places, scores: Numbers) -> None:
    """Begin scores with what the places say."""
    for column in range(len(scores)):
        scores[column] = 0.0
    for place in places:
        for column in range(len(scores)):
            scores[column] += np.float64(weights[place, column])


@compiled
def score_inputs(weights: Weights, first: int, values: Numbers, begin: int, end: int, scores: Numbers) -> None:
    """Add what inputs `begin` to `end` say."""
    for number in range(begin, end):
        value = values[number]
        for column in range(len(scores)):
            scores[column] += value * np.float64(weights[first + number, column])


@compiled
def learn(weights: Weights, dense: int, first: int, values: Numbers, places: Places, targets: Numbers) -> None:
    """One step on a batch: gradients are summed over it.

    A step that would move a score of the batch too far is shortened, or the first batches of a shard would throw
    the forecasts of all its items.
    """
    rows = weights.shape[1]
    step, touched = np.zeros((rows, COLUMNS)), np.arange(rows) >= first
    _descend(weights[LEARNING], first, values, places, targets, step, touched)
    squares = weights[SQUARES]
    for row in np.flatnonzero(touched):
        rates = _SPARSE if row < dense else _DENSE if row < first + INPUTS else _OF_SEEN
        for column in range(step.shape[1]):
            square = np.float64(squares[row, column]) + step[row, column] * step[row, column]
            squares[row, column] = square
            step[row, column] *= rates[column] / sqrt(square)
    part = _part_of_step(step, first, values, places)
    for row in np.flatnonzero(touched):
        for column in range(step.shape[1]):
            old = np.float64(weights[LEARNING, row, column])
            weights[LEARNING, row, column] = old - step[row, column] * part[column]


@compiled
def average(weights: Weights, batches: int) -> None:
    """Move the averaged weights, which predict, towards those that learn, after so many batches."""
    rate = max(_LEAST_AVERAGING, _DECAY / (batches + _DECAY))
    learning, averaged = weights[LEARNING], weights[AVERAGED]
    for row in range(len(averaged)):
        for column in range(averaged.shape[1]):
            old = np.float64(averaged[row, column])
            averaged[row, column] = old + rate * (np.float64(learning[row, column]) - old)


@compiled
def _descend(
    weights: Weights, first: int, values: Numbers, places: Places, targets: Numbers, step: Numbers, touched: Flags
) -> None:
    """Add up the gradients of a batch by row and column, and mark the places they touch."""
    gradient = np.empty(COLUMNS)
    for sample in range(len(targets)):
        score_places(weights, places[sample], gradient)
        score_inputs(weights, first, values[sample], 0, len(step) - first, gradient)
        _gradient_of(gradient, targets[sample])
        for place in places[sample]:
            touched[place] = True
            for column in range(len(gradient)):
                step[place, column] += gradient[column]
        for row in range(first, len(step)):
            value = values[sample, row - first]
            for column in range(len(gradient)):
                step[row, column] += value * gradient[column]


@compiled
def _gradient_of(scores: Numbers, target: float) -> None:
    """Turn the scores of a sample into the slopes of their losses."""
    log_target = log(target + FLOOR)
    for column in range(MEAN):
        below = 1.0 if log_target < scores[column] else 0.0
        scores[column] = below - LEVELS[column % len(LEVELS)]
    error = exp(min(scores[MEAN], MOST_SCORE)) - target
    scores[MEAN] = min(max(error, -_MOST_DEVIANCE), _MOST_DEVIANCE)


@compiled
def _part_of_step(step: Numbers, first: int, values: Numbers, places: Places) -> Numbers:
    """How much of a step is taken, by column, so that no score of the batch leaps."""
    leap, leaps = np.empty(COLUMNS), np.zeros(COLUMNS)
    for sample in range(len(values)):
        score_places(step, places[sample], leap)
        score_inputs(step, first, values[sample], 0, len(step) - first, leap)
        for column in range(len(leap)):
            leaps[column] = max(leaps[column], abs(leap[column]))
    for column in range(len(leap)):
        leaps[column] = min(_MOST_LEAP / max(leaps[column], _LITTLE), 1.0)
    return leaps
