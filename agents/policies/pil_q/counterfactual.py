"""What every arm would order: of its own shadow stock, of that of what all decide together, and of the item's own."""

from typing import NamedTuple

import numpy as np

from agents.policies.arrays import Floats
from agents.policies.base import Situation
from agents.policies.chance import uniform
from agents.policies.pil_q.arms import ARMS, PILS, Columns, Menu
from agents.policies.pil_q.averages import Averages
from agents.policies.pil_q.beliefs import beliefs
from agents.policies.pil_q.by_level import missing_to_levels
from agents.policies.pil_q.by_pil import missing_by_pil
from agents.policies.projection.route import route
from agents.policies.shadow.shadows import MOST_UNITS, NOTHING, Shadows, admitted, drawn_lead_time

EXACT = 6
"""Decimals of what is ordered: how many stocks are looked at side by side must not show in it."""


class Together(NamedTuple):
    """What arms decide together for the item itself."""

    quantity: float
    missing: float
    """By how much they find its stock too low; negative where it is too high."""


def order(shadows: Shadows, averages: Averages, situation: Situation, menu: Menu, shares: Floats) -> Together | None:
    """Place every arm's order, and the one that they decide together; say what that is for the item itself."""
    terms, way = situation.economics, route(situation.lead_time)
    if len(shadows.drawn) != way.longest + 1:
        shadows.fit(way.longest)
    drawn = way.longest
    if not way.certain:
        drawn = drawn_lead_time(situation.lead_time, uniform(situation.item, situation.period, "lead time"))
    if not situation.may_order:
        shadows.place(np.zeros(ARMS + 1), drawn, 0.0)
        return None
    own, shadow, real = missing(shadows.beside(situation), averages, situation, menu, menu.all)
    wanted = np.empty(ARMS + 1)
    wanted[:ARMS] = wanted_of(own)
    wanted[ARMS] = np.dot(wanted_of(shadow), shares)
    shadows.place(admitted(wanted, shadows, terms), drawn, terms.order_cost)
    return _together(real, shares)


def decided(averages: Averages, situation: Situation, menu: Menu, shares: Floats) -> Together:
    """What arms decide together for the item itself."""
    here = Shadows.alike(situation, 1)
    return _together(missing(here, averages, situation, menu, menu.alone)[0], shares)


def _together(found: Floats, shares: Floats) -> Together:
    low = float(np.dot(found, shares))
    return Together(round(float(np.dot(wanted_of(found), shares)), EXACT), round(low, EXACT))


def missing(shadows: Shadows, averages: Averages, situation: Situation, menu: Menu, columns: Columns) -> Floats:
    """By how much arms find the stock too low that they are asked about: [stock, arm]."""
    seen = beliefs(averages, situation)
    by_pil = missing_by_pil(shadows, seen, situation, menu, columns)
    found = np.empty((len(by_pil) // PILS, ARMS))
    found[:, :PILS] = by_pil.reshape(-1, PILS)
    found[:, PILS:] = missing_to_levels(shadows, seen, situation, columns).reshape(-1, ARMS - PILS)
    return found


def wanted_of(found: Floats) -> Floats:
    """What is ordered of what is missing: nobody orders less than nothing."""
    wanted: Floats = np.maximum(found, NOTHING)
    np.minimum(wanted, MOST_UNITS, out=wanted)
    return wanted
