"""How good forecasts of the sum of the next H periods were, prequentially: made before, judged after, all of them.

- *MAE, MSE, RMSE* of the mean: mean absolute error, mean squared error and its root, in units, over all forecasts.
- *WAPE*: absolute errors over demand. *Bias*: signed errors over demand; above 0 is too much.
- *sPL*, scaled pinball loss: the mean of max(τ·e, (τ − 1)·e), e = demand − quantile, over LEVELS, divided per item by
  the mean absolute error of "the next H like the last H", then averaged over items. 1 is no better than that.
- *NV80, NV95*: newsvendor cost per unit of mean demand at critical ratios 4:1 and 19:1.
- *Coverage*: the share of sums that were not above the quantile of 80 % and 95 %.

A forecast counts once its item is `warm_up` periods old and its horizon lies within the history.

Koenker, Bassett: Regression Quantiles. Econometrica 46, 1978.
"""

import msgspec
import numpy as np
import numpy.typing as npt

from agents.forecasting.base import LEVELS

Grid = npt.NDArray[np.float64]
_LEVELS = np.array(LEVELS)


class Measures(msgspec.Struct, frozen=True):
    """The figures of one forecaster, of all items or of one."""

    forecasts: int
    mae: float
    mse: float
    rmse: float
    wape: float
    bias: float
    spl: float
    nv80: float
    nv95: float
    coverage_80: float
    coverage_95: float


def sums_ahead(demand: Grid, horizon: int) -> Grid:
    """Demand of the `horizon` periods after each period; NaN where the history ends.

    >>> sums_ahead(np.array([[1.0, 2.0, 3.0, 4.0]]), 2)
    array([[ 5.,  7., nan, nan]])
    """
    sums = np.full(demand.shape, np.nan)
    periods = demand.shape[1]
    if periods > horizon:
        sums[:, : periods - horizon] = sum(demand[:, k : periods - horizon + k] for k in range(1, horizon + 1))
    return sums


def measure(
    demand: Grid, first: npt.NDArray[np.int64], means: Grid, quantiles: Grid, horizon: int, warm_up: int
) -> Measures:
    """Judge forecasts made at the end of each period: means by item and period, quantiles by item, period and level."""
    came = sums_ahead(demand, horizon)
    ages = np.arange(demand.shape[1])[None] - first[:, None]
    judged = (ages >= warm_up) & (np.arange(demand.shape[1])[None] >= warm_up) & ~np.isnan(came)
    total = np.where(judged, came, 0.0)
    count, demanded = int(judged.sum()), float(total.sum())
    error = np.where(judged, means - total, 0.0)
    over = np.where(judged[:, :, None], total[:, :, None] - quantiles, 0.0)
    loss = np.maximum(_LEVELS * over, (_LEVELS - 1.0) * over)
    of_item = np.maximum(judged.sum(axis=1), 1)
    per_item = loss.sum(axis=1) / of_item[:, None]
    scale = _naive_errors(came, ages, horizon)
    scaled = judged.any(axis=1) & (scale > 0.0)
    usual = total.sum(axis=1) / of_item
    sold = scaled & (usual > 0.0)
    covered = ((over <= 0.0) & judged[:, :, None]).sum(axis=(0, 1)) / max(count, 1)
    mse = float((error**2).sum()) / max(count, 1)
    return Measures(
        count,
        float(np.abs(error).sum()) / max(count, 1),
        mse,
        mse**0.5,
        float(np.abs(error).sum()) / demanded if demanded else 0.0,
        float(error.sum()) / demanded if demanded else 0.0,
        _mean(per_item[scaled].mean(axis=1) / scale[scaled]),
        _mean(5.0 * per_item[sold, LEVELS.index(0.8)] / usual[sold]),
        _mean(20.0 * per_item[sold, LEVELS.index(0.95)] / usual[sold]),
        float(covered[LEVELS.index(0.8)]),
        float(covered[LEVELS.index(0.95)]),
    )


def _naive_errors(came: Grid, ages: npt.NDArray[np.int64], horizon: int) -> Grid:
    """Mean absolute error, per item, of saying that the next H will be like the last H."""
    if came.shape[1] <= horizon:
        return np.zeros(len(came))
    error = np.abs(came[:, horizon:] - came[:, :-horizon])
    known = (ages[:, horizon:] >= horizon) & ~np.isnan(error)
    errors: Grid = np.where(known, error, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return errors


def _mean(values: Grid) -> float:
    return float(values.mean()) if len(values) else 0.0
