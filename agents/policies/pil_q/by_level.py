"""What arms of the family of levels order: up to a level of the position, for one inventory and for many at once.

The level comes from the demand of the protection interval: as the item's forecast has it, with its quantiles, or from
the item's own averages, whose quantile is a normal's with the skewness that counts of such a mean and variance have.
"""

import math

import msgspec
import numpy as np

from agents.policies.arrays import Floats
from agents.policies.base import Advice, Economics, Situation
from agents.policies.pil_q.arms import FREE, Columns, LevelArm
from agents.policies.pil_q.averages import Averages
from agents.policies.pil_q.beliefs import Beliefs, beliefs
from agents.policies.rules.base_stock import order_up_to
from agents.policies.rules.capped_base_stock import capped
from agents.policies.rules.reorder_level import economic_lot, triggered
from agents.policies.shadow.shadows import Shadows

ROUNDING = 1e-9
"""Levels are rounded up, but not for an error of calculation."""


def filled_up(averages: Averages, situation: Situation, arm: LevelArm) -> Advice:
    """What an arm would order for the item itself."""
    terms, span = situation.economics, max(situation.protection.horizon, 1.0)
    mean, quantile, variance = beliefs(averages, situation).interval[:, arm.source].tolist()
    level = arm.usual * mean + arm.safety * (quantile - mean)
    if arm.lots:
        low = math.ceil(level - ROUNDING) if terms.reorder_point is None else terms.reorder_point
        high = low + math.ceil(arm.lots * economic_lot(mean / span, terms))
        advice = triggered(situation, low, high if terms.order_up_to is None else terms.order_up_to)
    else:
        advice = order_up_to(situation, level)
    if arm.limit != FREE and terms.stock_out == "lost" and terms.order_up_to is None:
        advice = capped(advice, max(1, terms.review_periods) / span, mean, variance, arm.limit)
    return advice if situation.may_order else msgspec.structs.replace(advice, quantity=0.0)


def missing_to_levels(shadows: Shadows, seen: Beliefs, situation: Situation, asked: Columns) -> Floats:
    """`filled_up` of many arms at once; negative where the position is above the level."""
    terms, span = situation.economics, max(situation.protection.horizon, 1.0)
    mean, high, variance = seen.interval.take(asked.level_source, axis=1)
    high -= mean
    high *= asked.safety
    high += asked.usual * mean
    high -= ROUNDING
    np.ceil(high, out=high)
    position = shadows.position().take(asked.position)
    if terms.order_cost > 0.0 or terms.reorder_point is not None or terms.order_up_to is not None:
        lots = np.array([economic_lot(each / span, terms) for each in seen.interval[0].tolist()])
        lots = lots.take(asked.level_source)
        wanted = _when_low(high, position, lots, terms, asked)
    else:
        high -= position
        wanted = high
    if terms.stock_out == "lost" and terms.order_up_to is None:
        share = max(1, terms.review_periods) / span
        variance *= share
        most = np.sqrt(variance, out=variance)
        most *= asked.limit
        mean *= share
        most += mean
        np.ceil(most, out=most)
        most += asked.free
        np.minimum(wanted, most, out=wanted)
    return wanted


def _when_low(level: Floats, position: Floats, lots: Floats, terms: Economics, asked: Columns) -> Floats:
    """What is missing once the position is low: where orders cost something, or a planner set levels by hand."""
    by_lots = asked.lot > 0.0
    if terms.reorder_point is None:
        low = np.where(by_lots, level, math.inf)
    else:
        low = np.full(len(level), float(terms.reorder_point))
        level = np.where(by_lots, low, np.maximum(level, low + 1.0))
    if terms.order_up_to is None:
        level = level + np.ceil(asked.lot * lots)
    else:
        level = np.full(len(level), float(terms.order_up_to))
    return np.where(position <= low, level - position, 0.0)
