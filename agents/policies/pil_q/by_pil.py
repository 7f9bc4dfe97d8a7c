"""What arms of the family `pil` order, many at once: the projected-inventory-level rule, as each arm believes."""

import numpy as np

from agents.policies.arrays import Floats
from agents.policies.base import Situation
from agents.policies.pil_q.arms import Columns, Menu
from agents.policies.pil_q.beliefs import Beliefs
from agents.policies.projection.route import route
from agents.policies.projection.stock_left import stock_left
from agents.policies.rules.levels import patience, safety_factor
from agents.policies.rules.lots import lot
from agents.policies.shadow.shadows import Shadows


def missing_by_pil(shadows: Shadows, seen: Beliefs, situation: Situation, menu: Menu, asked: Columns) -> Floats:
    """`pil.levels` of many arms at once; negative where stock is above the target."""
    terms, way = situation.economics, route(situation.lead_time)
    lost, count = terms.stock_out == "lost", len(seen.stretches) // 2
    stock, pipeline = shadows.stock.take(asked.stock), shadows.pipeline.take(asked.stock, axis=1)
    stretches = seen.stretches.take(asked.believed, axis=1)
    left, left_variance = stock_left(stock, pipeline, stretches[:count], stretches[count:], way, lost=lost)
    if terms.order_cost > 0.0:
        return _lots(left, left_variance, seen, situation, menu, asked)
    left, left_variance = left.take(asked.projection), left_variance.take(asked.projection)
    mean: Floats
    mean, variance, bend, most = seen.covered.take(asked.source, axis=1)
    z = safety_factor(terms.critical_ratio)
    variance += left_variance
    deviation = np.sqrt(variance)
    mean -= left
    variance *= deviation
    bend /= variance
    mean += bend
    deviation *= asked.shift + z
    mean += deviation
    if eager := patience(z, terms):
        late = np.sqrt(left_variance, out=left_variance)
        late *= eager
        mean -= late
    return np.minimum(mean, most, out=mean) if lost else mean


def _lots(
    left: Floats, left_variance: Floats, seen: Beliefs, situation: Situation, menu: Menu, asked: Columns
) -> Floats:
    """The same where an order costs something: up to `high` when the stock left is low.

    How uncertain the stock left is differs little between stocks, and lots are worked out once for all.
    """
    terms, review = situation.economics, max(1, situation.economics.review_periods)
    counts, sums = np.bincount(asked.believed), np.bincount(asked.believed, left_variance)
    typical: Floats = sums / np.maximum(counts, 1)
    lots = np.array(
        [
            lot(mean / review, variance / review, spread, terms, stretch)[:2]
            for mean, variance, spread in zip(*seen.covered[:2].tolist(), typical.tolist(), strict=True)
            for stretch in menu.stretches
        ]
    )
    low, high = lots[asked.pair].T
    moved = asked.shift * np.sqrt(seen.covered[1] + typical).take(asked.source)
    low, high, left = low + moved, high + moved, left.take(asked.projection)
    return np.where(left <= low, np.maximum(high, low) - left, 0.0)
