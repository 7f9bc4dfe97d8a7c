"""Terms under which it is cheapest never to order: a lost sale costs less than it costs to have had the unit there.

A lot of Q units costs one order and is sold one by one, so a unit of it costs K/Q + h (Q + 1)/(2 D), with the order
cost K, the holding cost h of a period and the demand D of a period. When no Q makes that less than a lost sale, a
policy that looks for the least cost orders nothing, and is right by the numbers. Mostly a number is missing or wrong.

>>> never_ordering_is_cheapest(Economics(holding=0.01, shortage=0.19, order_cost=5.0), demand=2.0)
'a lost sale costs 0.19, but it costs at least 0.23 to have a unit there: an order costs 5 for 45 units, and holding a \
unit costs 0.01 a period; state a higher shortage_cost, or a lower order_cost'
>>> never_ordering_is_cheapest(Economics(holding=0.01, shortage=0.99, order_cost=5.0), demand=2.0) is None
True
"""

import math

from agents.policies.base import Economics


def never_ordering_is_cheapest(terms: Economics, demand: float) -> str | None:
    """Say why no order pays at this demand of a period, or None where orders pay; only lost sales can be left lost."""
    if terms.stock_out != "lost" or demand <= 0.0:
        return None
    if terms.shortage <= 0.0:
        return "a lost sale costs nothing; state a shortage_cost, or a unit_cost below the price"
    lot = cheapest_lot(terms, demand)
    unit = cost_of_a_unit(terms, demand, lot)
    if unit < terms.shortage:
        return None
    order = f"an order costs {terms.order_cost:.4g} for {lot:,} units, and " if terms.order_cost > 0.0 else ""
    lots = f"no order is below {lot:,} units, and " if not order and lot > 1 else ""
    cure = "a lower order_cost" if order else "a lower minimum_order" if lots else "a lower holding_rate"
    return (
        f"a lost sale costs {terms.shortage:.4g}, but it costs at least {unit:.2g} to have a unit there: "
        f"{order or lots}holding a unit costs {terms.holding:.4g} a period; state a higher shortage_cost, or {cure}"
    )


def cheapest_lot(terms: Economics, demand: float) -> int:
    """The number of units in an order at which a unit costs least, within what the supplier delivers."""
    least = -(-max(terms.minimum_order, 1) // terms.order_multiple) * terms.order_multiple
    if terms.holding <= 0.0 or terms.order_cost <= 0.0:
        return least
    best = math.sqrt(2.0 * terms.order_cost * demand / terms.holding)
    return max(least, round(best / terms.order_multiple) * terms.order_multiple)


def cost_of_a_unit(terms: Economics, demand: float, lot: int) -> float:
    """What a unit costs that is ordered in lots of this size: its share of the order, and its time in stock.

    >>> cost_of_a_unit(Economics(holding=0.01, shortage=1.0, order_cost=5.0), demand=2.0, lot=50)
    0.2275
    """
    return terms.order_cost / lot + terms.holding * (lot + 1) / (2.0 * demand)
