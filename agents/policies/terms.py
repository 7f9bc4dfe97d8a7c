"""An item's terms as the kernel reads them: one record of numbers."""

import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from agents.policies.base import Economics
from agents.policies.rules.target import patience, safety_factor

FIELDS = (
    "holding", "shortage", "order_cost", "ratio", "z", "patience", "lost", "review",
    "minimum", "multiple", "capacity", "reorder_point", "order_up_to",
)  # fmt: skip
"""As in `Economics`, besides `ratio`, the critical one, `z`, its normal deviate, and `lost`, which is 1 or 0."""
TERMS = np.dtype([(name, np.float64) for name in FIELDS], align=True)


@lru_cache(maxsize=1024)
def terms_of(economics: Economics) -> npt.NDArray[np.void]:
    """The record; a capacity that is not limited is infinite, a level that no planner has set is no number."""
    lost = economics.stock_out == "lost"
    z = safety_factor(economics.critical_ratio)
    return np.array(
        [
            economics.holding,
            economics.shortage,
            max(economics.order_cost, 0.0),
            economics.critical_ratio,
            z,
            patience(z) if lost else 0.0,
            lost,
            max(1, economics.review_periods),
            economics.minimum_order,
            economics.order_multiple,
            math.inf if economics.capacity is None else economics.capacity,
            math.nan if economics.reorder_point is None else economics.reorder_point,
            math.nan if economics.order_up_to is None else economics.order_up_to,
        ],
        np.float64,
    ).view(TERMS)
