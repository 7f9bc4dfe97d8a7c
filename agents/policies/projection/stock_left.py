"""The stock that is left when an order arrives: the quantity by which projected-inventory-level policies steer.

Mean and variance of stock on hand are carried through the open orders and the forecast, stretch by stretch; with lost
sales, stock stops at zero (`positive_part.py`). With several possible lead times the stock left is their mixture.

Stocks are projected side by side: what comes after one another waits, and a processor does several things at once.

van Jaarsveld, Arts (2024), "Projected Inventory Level Policies for Lost Sales Inventory Systems", Operations Research.
"""

import numpy as np

from agents.kernel.compiled import Numbers, Places, compiled
from agents.policies.projection.arrivals import ENDING, MEAN, VARIANCE
from agents.policies.projection.positive_part import positive_part


@compiled
def stocks_left(
    on_hand: Numbers,
    flows: Numbers,
    demand: Numbers,
    sources: Places,
    landing: Numbers,
    lost: bool,  # noqa: FBT001
) -> Numbers:
    """Mean and variance of each stock at the start of the period in which an order placed now arrives, without it.

    `flows` is what arrives (`arrivals.py`), `landing` when the order does (`route.py`); `demand` is [source, moment,
    stretch], and `sources` says whom to believe about which stock.
    """
    left, now = np.empty((2, len(on_hand))), np.empty((2, len(on_hand)))
    for n in range(len(on_hand)):
        now[0, n], now[1, n] = on_hand[n] + flows[0, MEAN, n], flows[0, VARIANCE, n]
        left[0, n], left[1, n] = landing[0] * (on_hand[n] + flows[0, ENDING, n]), landing[0] * now[1, n]
    for flow in range(1, len(landing)):
        for n in range(len(on_hand)):
            mean, variance = now[0, n] - demand[sources[n], 0, flow - 1], now[1, n] + demand[sources[n], 1, flow - 1]
            if lost:
                mean, variance = positive_part(mean, variance)
            variance += flows[flow, VARIANCE, n]
            left[0, n] += landing[flow] * (mean + flows[flow, ENDING, n])
            left[1, n] += landing[flow] * variance
            now[0, n], now[1, n] = mean + flows[flow, MEAN, n], variance
    return left
