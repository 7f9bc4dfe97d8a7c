"""Shadow inventories: what stock would be, had each of several ways to order been followed on the same real demand.

Demand is observed, so the outcome of every arm can be computed, not only of the one that acts. The shadows of an item
meet the same demand and the same lead times; a lead time is drawn once a period, for all of them.

Units are kept in a table with a column for each inventory: its stock, then what was ordered at the last review, at the
one before that, … and is still on its way. `drawn` are the lead times of these orders. Units are whole, held as floats.
"""

from math import ceil, floor

import numpy as np

from agents.kernel.compiled import Numbers, Places, Record, compiled
from agents.policies.base import Situation
from agents.policies.projection.route import route

MOST_UNITS = 2.0**31 - 1.0
LOST = -1
"""The drawn lead time of an order that never comes."""


@compiled
def serve(units: Numbers, drawn: Places, demand: float, terms: Record, fee: float, costs: Numbers) -> None:
    """Let a period pass, and write what it cost each; an order of the last review costs a fee besides."""
    wanted = floor(demand + 0.5)
    for number in range(len(costs)):
        cost = fee if units[1, number] > 0.0 else 0.0
        left = units[0, number] - wanted
        for age in range(len(drawn)):
            if drawn[age] == age:
                left += units[age + 1, number]
                units[age + 1, number] = 0.0
        costs[number] = cost + (terms["holding"] * left if left > 0.0 else -terms["shortage"] * left)
        units[0, number] = 0.0 if left < 0.0 and terms["lost"] > 0.0 else left


@compiled
def position(units: Numbers, number: int) -> float:
    """Stock and what is on its way."""
    found = 0.0
    for row in range(len(units)):
        found += units[row, number]
    return found


@compiled
def admitted(wanted: float, at: float, terms: Record) -> float:
    """What would be ordered at a position of what is wanted: whole units, minimum, multiple, capacity."""
    units = floor(min(max(wanted, 0.0), MOST_UNITS) + 0.5) * 1.0
    if units > 0.0:
        units = ceil(max(units, terms["minimum"]) / terms["multiple"]) * terms["multiple"]
    if at + units > terms["capacity"]:
        room = floor(max(terms["capacity"] - at, 0.0) / terms["multiple"]) * terms["multiple"]
        units = min(units, room if room >= terms["minimum"] else 0.0)
    return units


@compiled
def place(units: Numbers, drawn: Places, orders: Numbers, lead_time: int) -> None:
    """Place orders with that lead time, and let the open ones grow a review older."""
    for age in range(len(drawn) - 1, 0, -1):
        drawn[age] = drawn[age - 1]
        for number in range(len(orders)):
            units[age + 1, number] = units[age, number]
    drawn[0] = lead_time
    for number in range(len(orders)):
        units[1, number] = orders[number]


def alike(situation: Situation, count: int) -> tuple[Numbers, Places]:
    """So many shadows that begin where the item stands, and the lead times of their orders.

    Where the lead time is certain, an order that is due at another time than its age says is as old as that makes it.
    """
    longest, certain = route(situation.lead_time)
    units, drawn = np.zeros((longest + 2, count)), np.full(longest + 1, LOST)
    units[0] = min(max(float(situation.available), -MOST_UNITS), MOST_UNITS)
    for order in situation.pipeline:
        age = longest - int(order.due + 0.5) if certain else order.age
        row = min(max(age - 1, 0), longest)
        units[row + 1] += min(float(order.quantity), MOST_UNITS)
        drawn[row] = min(row + 1 + int(order.due), longest)
    return units, drawn


def fitted(units: Numbers, drawn: Places, longest: int) -> tuple[Numbers, Places]:
    """The same with room for lead times up to `longest`; of what is older, what was not lost comes at once."""
    ages, have = longest + 1, len(drawn)
    for age in range(ages, have):
        if drawn[age] >= age:
            units[0] += units[age + 1]
    more = max(ages - have, 0)
    whole = np.concatenate((units[: ages + 1], np.zeros((more, units.shape[1]))))
    return whole, np.concatenate((drawn[:ages], np.full(more, LOST)))


def drawn_lead_time(lead_time: tuple[float, ...], chance: float) -> int:
    """The lead time that a uniform number stands for, or LOST.

    >>> [drawn_lead_time((0.0, 0.5, 0.25), chance) for chance in (0.2, 0.6, 0.9)]
    [1, 2, -1]
    """
    for periods, share in enumerate(lead_time):
        chance -= share
        if chance < 0.0:
            return periods
    return LOST if chance > 1e-9 else len(lead_time) - 1
