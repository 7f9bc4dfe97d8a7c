"""One linear regression per quantile, learned in mini-batches by AdaGrad on the pinball loss; weights are averaged.

It is River's `LinearRegression(loss=Quantile(τ), optimizer=AdaGrad)` for all levels and a batch of samples at once; a
test holds the two equal, sample by sample, and docs/decisions/0020 says why it is written anew. Beside dense inputs
there are sparse ones, each a place whose weight is added. With a column for the mean, it learns the exponential of
its score by the Poisson deviance, so that it aims at the mean and not at a quantile.

Duchi, Hazan, Singer: Adaptive Subgradient Methods for Online Learning and Stochastic Optimization. JMLR 12, 2011.
Shamir, Zhang: Stochastic Gradient Descent for Non-smooth Optimization: Convergence Results and Optimal Averaging
Schemes. ICML 2013 (polynomial-decay averaging).
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from agents.forecasting.arrays import Floats, pack, unpack
from agents.forecasting.base import LEVELS

_DECAY = 20.0
_LEAST_AVERAGING = 0.004
"""The averaged weights are those of the last twentieth of all batches, about, and of the last 250 at most."""
_DENSE_START, _SPARSE_START = 0.01, 1.0
"""What the accumulated squared gradients begin with."""
_MOST_DEVIANCE = 10.0
_MOST_SCORE = 6.0


class Rates(NamedTuple):
    """Learning rates of dense and sparse weights."""

    dense: float
    sparse: float


class Regression:
    """Weights by input and column: the quantile levels once for every pair of rates, and then, `with_mean`, the mean.

    The mean learns at the first rates. An intercept is an input that is always 1. `more` inputs, the last ones, are
    seen by the columns of the last rates only.
    """

    def __init__(
        self, inputs: int, places: int, rates: Sequence[Rates], *, with_mean: bool = False, more: int = 0
    ) -> None:
        self._quantiles = len(rates) * len(LEVELS)
        self._last = slice(self._quantiles - len(LEVELS), self._quantiles)
        of_columns = [pair for pair in rates for _ in LEVELS] + [rates[0]] * with_mean
        self._dense_rates = np.tile(np.array([pair.dense for pair in of_columns], np.float32), (inputs + more, 1))
        self._dense_rates[inputs:, : self._last.start] = self._dense_rates[inputs:, self._last.stop :] = 0.0
        self._sparse_rates = np.array([pair.sparse for pair in of_columns], np.float32)
        self._levels = np.array(LEVELS * len(rates), np.float32)
        self._inputs, self._places = inputs, places
        self.dense = np.zeros((inputs + more, len(of_columns)), np.float32)
        self.sparse = np.zeros((places, len(of_columns)), np.float32)
        self._dense_squares = np.full_like(self.dense, _DENSE_START)
        self._sparse_squares = np.full_like(self.sparse, _SPARSE_START)
        self.settle()

    def settle(self) -> None:
        """Take the weights as they are for the averaged ones: for a start that is not zero."""
        self._mean_dense, self._mean_sparse = self.dense.copy(), self.sparse.copy()

    def predict(self, values: Floats, places: npt.NDArray[np.int32]) -> Floats:
        """Scores of one sample from all inputs but the last `more`.

        Summed row by row, so that the result is the same wherever the arrays lie in memory.
        """
        scores: Floats = np.add.reduce(values[:, None] * self._mean_dense[: self._inputs], axis=0)
        scores += np.add.reduce(self._mean_sparse.take(places, axis=0), axis=0)
        return scores

    def predict_more(self, values: Floats) -> Floats:
        """What the last `more` inputs add to the scores of the last rates' columns."""
        scores: Floats = np.add.reduce(values[:, None] * self._mean_dense[self._inputs :, self._last], axis=0)
        return scores

    def learn(self, values: Floats, places: npt.NDArray[np.int32], log_targets: Floats, targets: Floats) -> None:
        """One step on a batch: gradients are summed over it."""
        samples, touched = places.shape
        rows = np.arange(0, places.size + 1, touched, dtype=np.int32)
        touches = csr_array((np.ones(places.size, np.float32), places.ravel(), rows), shape=(samples, self._places))
        gradient = self._gradient(values @ self.dense + touches @ self.sparse, log_targets, targets)
        by_input, by_place = values.T @ gradient, touches.T @ gradient
        self._dense_squares += by_input * by_input
        self.dense -= self._dense_rates * by_input / np.sqrt(self._dense_squares)
        self._sparse_squares += by_place * by_place
        self.sparse -= self._sparse_rates * by_place / np.sqrt(self._sparse_squares)

    def average(self, batches: int) -> None:
        """Move the averaged weights, which predict, towards those that learn, after so many batches."""
        rate = np.float32(max(_LEAST_AVERAGING, _DECAY / (batches + _DECAY)))
        self._mean_dense += rate * (self.dense - self._mean_dense)
        self._mean_sparse += rate * (self.sparse - self._mean_sparse)

    @property
    def size(self) -> int:
        """Bytes as written, but for a few."""
        return sum(array.nbytes for array in self._arrays())

    def dump(self) -> list[bytes]:
        """Write weights, averaged weights and accumulated squares."""
        return [pack(array) for array in self._arrays()]

    def load(self, parts: Sequence[Any]) -> None:
        """Read them back; arrays of another shape raise ValueError."""
        for array, data in zip(self._arrays(), parts, strict=True):
            array[:] = unpack(data, np.float32, array.shape)
        if min(float(self._dense_squares.min()), float(self._sparse_squares.min(initial=1.0))) <= 0.0:
            raise ValueError("an accumulated square is not positive")

    def _arrays(self) -> tuple[Floats, ...]:
        dense = (self.dense, self._mean_dense, self._dense_squares)
        return (*dense, self.sparse, self._mean_sparse, self._sparse_squares)

    def _gradient(self, scores: Floats, log_targets: Floats, targets: Floats) -> Floats:
        gradient = np.empty_like(scores)
        gradient[:, : self._quantiles] = (log_targets[:, None] < scores[:, : self._quantiles]) - self._levels
        if self._quantiles < scores.shape[1]:
            mean = np.exp(np.minimum(scores[:, -1], _MOST_SCORE))
            gradient[:, -1] = np.clip(mean - targets, -_MOST_DEVIANCE, _MOST_DEVIANCE)
        return gradient
