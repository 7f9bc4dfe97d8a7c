"""How much each arm has to say in what is ordered: the cheaper, the more.

Shares fall exponentially with expected cost (Vovk 1990; Freund, Schapire 1997: Hedge). What is ordered is the mean of
what arms want, weighted so. Costs are convex in what is ordered, so that costs no more than the arms do on average;
and a change of mind comes by degrees, where a jump from one rule to another leaves stock that neither wants.

Where an order costs something, a mean of orders would be many small ones: one arm has all the say, and keeps it until
another is expected to be cheaper by `STAY`.
"""

import math

import numpy as np

from agents.policies.arrays import Floats

TEMPERATURE, COOLING = 0.02, 10.0
"""An arm that is expected to cost this share more has e times less to say; half that share once three times as
many stock-outs as `COOLING` were to be expected. They tell arms apart, and then less has to be hedged."""
STAY = 0.03
STEPS = 255
"""Shares are whole numbers of so many parts of the greatest: an arm stored is a byte."""


def shares_of(worth: Floats, stock_outs: float, weights: Floats) -> Floats:
    """Shares of arms by what each is expected to cost, as a share of costs, after so many expected stock-outs.

    `weights` are what each has to say where all are expected to cost the same.

    >>> shares_of(np.array([0.0, 0.03, 0.5]), 0.0, np.ones(3)).round(2).tolist()
    [0.82, 0.18, 0.0]
    """
    sharpness = math.sqrt(1.0 + stock_outs / COOLING) / TEMPERATURE
    shares = np.exp((worth.min() - worth) * sharpness) * weights
    return of_parts(np.floor(shares / shares.max() * STEPS + 0.5))


def all_for_one(worth: Floats, shares: Floats | None) -> Floats:
    """All to the cheapest arm, or to the one that had it, where that is not much dearer."""
    best = int(worth.argmin())
    if shares is not None and worth[best] >= worth[before := int(shares.argmax())] - STAY:
        best = before
    alone = np.zeros(len(worth))
    alone[best] = 1.0
    return alone


def of_parts(parts: Floats) -> Floats:
    """Shares from whole numbers of parts."""
    return np.asarray(parts / parts.sum())


def parts_of(shares: Floats) -> bytes:
    """Whole numbers of parts from shares; `of_parts` of it gives the same shares.

    >>> shares = shares_of(np.array([0.0, 0.01, 0.05]), 3.0, np.ones(3))
    >>> (of_parts(np.frombuffer(parts_of(shares), np.uint8).astype(float)) == shares).all()
    np.True_
    """
    return bytes(np.floor(shares / shares.max() * STEPS + 0.5).astype(np.uint8))
