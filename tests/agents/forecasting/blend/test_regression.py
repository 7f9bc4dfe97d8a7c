"""The shared regression is River's, many columns at a time."""

from math import exp

import numpy as np
import pytest
from river import linear_model, optim

from agents.forecasting.base import LEVELS
from agents.forecasting.blend.inputs import FLOOR
from agents.forecasting.blend.regression import COLUMNS, LEARNING, QUICK, SQUARES, learn


@pytest.mark.parametrize("level", range(len(LEVELS)))
def test_sample_by_sample_it_updates_as_river_does(level: int) -> None:
    chance = np.random.default_rng(5)
    values = chance.normal(size=(300, 4))
    targets = values @ np.array([1.0, -0.5, 0.2, 0.0]) + chance.normal(size=300)
    weights = np.zeros((3, 4, COLUMNS), np.float32)
    # River starts the accumulated squares at 0 and adds eps beneath the root; ours start at a positive number.
    weights[SQUARES] = 1e-8
    theirs = linear_model.LinearRegression(
        optimizer=optim.AdaGrad(0.05, eps=1e-8), loss=optim.losses.Quantile(LEVELS[level]), intercept_lr=0.0
    )
    no_places = np.zeros((1, 0), np.int64)
    for row, target in zip(values, targets, strict=True):
        score = float(row @ weights[LEARNING, :, QUICK + level])
        named = {str(number): float(value) for number, value in enumerate(row)}
        assert score == pytest.approx(theirs.predict_one(named), abs=2e-3)  # type: ignore[no-untyped-call]
        learn(weights, 0, 0, row[None].copy(), no_places, np.array([exp(target) - FLOOR]))
        theirs.learn_one(named, float(target))
    found = [theirs.weights[str(number)] for number in range(4)]
    assert weights[LEARNING, :, QUICK + level] == pytest.approx(np.array(found), abs=2e-3)
