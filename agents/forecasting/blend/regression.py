"""One linear regression per quantile, learned in mini-batches by AdaGrad on the pinball loss; weights are averaged.

It is River's `LinearRegression(loss=Quantile(τ), optimizer=AdaGrad)` for all levels and a batch of samples at once; a
test holds the two equal, sample by sample, and docs/decisions/0020 says why it is written anew. Beside dense inputs
there are sparse ones, each a place whose weight is added. A column for the mean learns the exponential of its score
by the Poisson deviance, so that it aims at the mean and not at a quantile.

Duchi, Hazan, Singer: Adaptive Subgradient Methods for Online Learning and Stochastic Optimization. JMLR 12, 2011.
Shamir, Zhang: Stochastic Gradient Descent for Non-smooth Optimization: Convergence Results and Optimal Averaging
Schemes. ICML 2013 (polynomial-decay averaging).
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from agents.forecasting.base import LEVELS
from agents.forecasting.blend.arrays import Floats, aligned, pack, unpack

_DECAY = 20.0
_LEAST_AVERAGING = 0.004
"""The averaged weights are those of the last twentieth of all batches, about, and of the last 250 at most."""
_DENSE_START, _SPARSE_START = 0.01, 1.0
"""What the accumulated squared gradients begin with."""
_MOST_DEVIANCE = 10.0
_MOST_SCORE = 6.0
_MOST_LEAP, _LITTLE = np.float32(0.5), np.float32(1e-6)
"""By which a batch may move the score of one of its samples."""


class Rates(NamedTuple):
    """Learning rates of dense and sparse weights."""

    dense: float
    sparse: float


class Regression:
    """Weights by input and column: the quantile levels once for every pair of rates, and then the mean, if it has any.

    An intercept is an input that is always 1. `more` inputs, the last ones, are seen by the columns of the last rates
    only. Beside them a sample touches so many places. Weights stand in one array, those of the places first.
    """

    def __init__(
        self,
        inputs: int,
        places: int,
        rates: Sequence[Rates],
        *,
        mean: Rates | None = None,
        more: int = 0,
        touched: int = 1,
    ) -> None:
        self._quantiles = len(rates) * len(LEVELS)
        self._last = slice(self._quantiles - len(LEVELS), self._quantiles)
        of_columns = [pair for pair in rates for _ in LEVELS] + ([mean] if mean else [])
        shape = places + inputs + more, len(of_columns)
        self._rates = np.empty(shape, np.float32)
        self._rates[:places] = [pair.sparse for pair in of_columns]
        self._rates[places:] = [pair.dense for pair in of_columns]
        self._rates[places + inputs :, : self._last.start] = self._rates[places + inputs :, self._last.stop :] = 0.0
        self._levels = np.array(LEVELS * len(rates), np.float32)
        self._places = places
        self.weights = np.zeros(shape, np.float32)
        self.squares = np.full(shape, _DENSE_START, np.float32)
        """Accumulated squared gradients."""
        self.squares[:places] = _SPARSE_START
        self._averaged = aligned(*shape)
        self._gathered, self._ones = aligned(touched, shape[1]), aligned(touched)
        self._ones[:] = 1.0
        self.sparse, self.dense = self.weights[:places], self.weights[places:]
        self._averaged_sparse, self._averaged_dense = self._averaged[:places], self._averaged[places : places + inputs]
        self._averaged_more = self._averaged[places + inputs :, self._last]
        self._touches = self._nothing_touched(0)

    def settle(self) -> None:
        """Take the weights as they are for the averaged ones: for a start that is not zero."""
        self._averaged[:] = self.weights

    def predict(self, values: Floats, places: npt.NDArray[np.int32]) -> Floats:
        """Scores of one sample from all inputs but the last `more`."""
        self._averaged_sparse.take(places, axis=0, out=self._gathered, mode="clip")
        scores: Floats = values.dot(self._averaged_dense)
        scores += self._ones.dot(self._gathered)
        return scores

    def predict_more(self, values: Floats) -> Floats:
        """What the last `more` inputs add to the scores of the last rates' columns."""
        scores: Floats = values.dot(self._averaged_more)
        return scores

    def learn(self, values: Floats, places: npt.NDArray[np.int32], log_targets: Floats, targets: Floats) -> None:
        """One step on a batch: gradients are summed over it.

        A step that would move a score of the batch too far is shortened, or the first batches of a shard would throw
        the forecasts of all its items.
        """
        if len(places) != self._touches.shape[0]:
            self._touches = self._nothing_touched(len(places))
        touches = self._touches
        touches.indices[:] = places.ravel()
        gradient = self._gradient(values @ self.dense + touches @ self.sparse, log_targets, targets)
        step = np.empty_like(self.weights)
        step[: self._places], step[self._places :] = touches.T @ gradient, values.T @ gradient
        self.squares += step * step
        step *= self._rates
        step /= np.sqrt(self.squares)
        leap = np.abs(values @ step[self._places :] + touches @ step[: self._places]).max(axis=0)
        step *= np.minimum(_MOST_LEAP / np.maximum(leap, _LITTLE), np.float32(1.0))
        self.weights -= step

    def average(self, batches: int) -> None:
        """Move the averaged weights, which predict, towards those that learn, after so many batches."""
        rate = np.float32(max(_LEAST_AVERAGING, _DECAY / (batches + _DECAY)))
        self._averaged += rate * (self.weights - self._averaged)

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
        if float(self.squares.min()) <= 0.0:
            raise ValueError("an accumulated square is not positive")

    def _arrays(self) -> tuple[Floats, ...]:
        return self.weights, self._averaged, self.squares

    def _nothing_touched(self, samples: int) -> csr_array:
        """The matrix of so many samples by places, to be written on; to make one takes as long as to learn from it."""
        count, touched = samples * len(self._ones), len(self._ones)
        rows = np.arange(0, count + 1, touched, dtype=np.int32)
        return csr_array((np.ones(count, np.float32), np.zeros(count, np.int32), rows), (samples, self._places))

    def _gradient(self, scores: Floats, log_targets: Floats, targets: Floats) -> Floats:
        gradient = np.empty_like(scores)
        gradient[:, : self._quantiles] = (log_targets[:, None] < scores[:, : self._quantiles]) - self._levels
        if self._quantiles < scores.shape[1]:
            mean = np.exp(np.minimum(scores[:, -1], _MOST_SCORE))
            gradient[:, -1] = np.clip(mean - targets, -_MOST_DEVIANCE, _MOST_DEVIANCE)
        return gradient
