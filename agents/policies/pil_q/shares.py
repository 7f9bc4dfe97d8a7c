"""How much each arm has to say in what is ordered: the cheaper, the more.

Shares fall exponentially with expected cost (Vovk 1990; Freund, Schapire 1997: Hedge). What is ordered is the mean of
what arms want, weighted so. Costs are convex in what is ordered, so that costs no more than the arms do on average;
and a change of mind comes by degrees, where a jump from one rule to another leaves stock that neither wants.

Where an order costs something, a mean of orders would be many small ones: one arm has all the say, and keeps it until
another is expected to be cheaper by `STAY`.
"""

from math import floor, sqrt

import numpy as np

from agents.kernel.arithmetic import exp
from agents.kernel.compiled import Bytes, Numbers, compiled

TEMPERATURE, COOLING = 0.02, 10.0
"""An arm that is expected to cost this share more has e times less to say; half that share once three times as
many stock-outs as `COOLING` were to be expected. They tell arms apart, and then less has to be hedged."""
STAY = 0.03
STEPS = 255
"""Shares are whole numbers of so many parts of the greatest: an arm stored is a byte."""


@compiled
def share_out(parts: Bytes, worth: Numbers, stock_outs: float, weights: Numbers) -> None:
    """Write shares of arms by what each is expected to cost, as a share of costs, after so many expected stock-outs.

    `weights` are what each has to say where all are expected to cost the same.

    >>> parts = np.zeros(3, np.uint8)
    >>> share_out(parts, np.array([0.0, 0.03, 0.5]), 0.0, np.ones(3))
    >>> (parts / parts.sum()).round(2).tolist()
    [0.82, 0.18, 0.0]
    """
    sharpness, shares = sqrt(1.0 + stock_outs / COOLING) / TEMPERATURE, np.empty(len(worth))
    least, most = worth[cheapest(worth)], 0.0
    for number in range(len(worth)):
        shares[number] = exp((least - worth[number]) * sharpness) * weights[number]
        most = max(most, shares[number])
    for number in range(len(worth)):
        parts[number] = floor(shares[number] / most * STEPS + 0.5)


@compiled
def all_for_one(parts: Bytes, worth: Numbers) -> None:
    """Give all to the cheapest arm, or to the one that had it, where that is not much dearer."""
    best, before = cheapest(worth), greatest(parts)
    if parts[before] > 0 and worth[best] >= worth[before] - STAY:
        best = before
    parts[:] = 0
    parts[best] = STEPS


@compiled
def cheapest(worth: Numbers) -> int:
    """The first arm of the least worth."""
    best = 0
    for number in range(len(worth)):
        if worth[number] < worth[best]:
            best = number
    return best


@compiled
def greatest(parts: Bytes) -> int:
    """The first arm of the most parts."""
    best = 0
    for number in range(len(parts)):
        if parts[number] > parts[best]:
            best = number
    return best
