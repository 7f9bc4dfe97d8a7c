"""The shared regression is River's, many columns at a time."""

import numpy as np
import pytest
from river import linear_model, optim

from agents.forecasting.base import LEVELS
from agents.forecasting.blend.regression import Rates, Regression


@pytest.mark.parametrize("column", range(len(LEVELS)))
def test_sample_by_sample_it_updates_as_river_does(column: int) -> None:
    chance = np.random.default_rng(5)
    values = chance.normal(size=(300, 4)).astype(np.float32)
    targets = (values @ np.array([1.0, -0.5, 0.2, 0.0]) + chance.normal(size=300)).astype(np.float32)
    ours = Regression(4, 1, (Rates(0.05, 0.0),))
    # River starts the accumulated squares at 0 and adds eps beneath the root; ours start at a positive number.
    ours.squares[1:] = 1e-8
    theirs = linear_model.LinearRegression(
        optimizer=optim.AdaGrad(0.05, eps=1e-8), loss=optim.losses.Quantile(LEVELS[column]), intercept_lr=0.0
    )
    places = np.zeros((1, 1), np.int32)
    for row, target in zip(values, targets, strict=True):
        score = float((row @ ours.dense)[column])
        named = {str(number): float(value) for number, value in enumerate(row)}
        assert score == pytest.approx(theirs.predict_one(named), abs=2e-3)  # type: ignore[no-untyped-call]
        ours.learn(row[None], places, np.array([target], np.float32), np.array([target], np.float32))
        theirs.learn_one(named, float(target))
    found = [theirs.weights[str(number)] for number in range(4)]
    assert ours.dense[:, column] == pytest.approx(np.array(found), abs=2e-3)
