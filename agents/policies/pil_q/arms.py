"""The arms of `pil-q`: families of rules, each run in several ways, tried in shadow.

An arm of the family `pil` says whose demand to believe (the item's forecast, or the item's own average at some rate),
how far to move the target (in standard deviations) and, where orders cost something, how far to stretch a cycle. An arm
of the family of levels fills the position up: to so many times the expected demand of the protection interval and a
share of what the costs want beyond that, with a limit to the single order, or, where orders cost something, by lots.
Base-stock, capped base-stock, forecast × 1.2 and (s, S) are among these, just as their rules have them.

The shadows of an item stand side by side: the family `pil`, the levels, and last that of what arms decide together.
"""

import math
from typing import NamedTuple

import numpy as np

from agents.policies.arrays import Floats, Places
from agents.policies.rules.capped_base_stock import LIMIT
from agents.policies.rules.one_point_two import FACTOR

SOURCES = ("forecast", "running mean", "ewma 0.1", "ewma 0.3")
RATES = (0.0, 0.1, 0.3)
"""Of the item's own averages: 0 is the running mean."""
SHIFTS = (
    (-0.8, -0.45, -0.2, 0.0, 0.2, 0.4, 0.7, 1.1),
    (-0.8, -0.45, 0.0, 0.4, 0.7, 1.1),
    (-0.8, -0.45, -0.2, 0.0, 0.2, 0.4, 0.7, 1.1),
    (-0.45, -0.2, 0.0, 0.2, 0.4, 0.7),
)
"""By source."""
LOT_SHIFTS = (-0.3, 0.0, 0.3)
STRETCHES = (0.7, 1.0, 1.3)
SAFETIES = (0.0, 0.5, 1.0, 1.3)
STEADY = range(3)
"""The sources that levels are taken from."""
FREE = math.inf


class PilArm(NamedTuple):
    """A way to run the projected-inventory-level rule."""

    source: int = 0
    shift: float = 0.0
    stretch: float = 1.0

    @property
    def kind(self) -> tuple[float, ...]:
        """What it has in common with arms that are run in another way."""
        return (self.source,)

    @property
    def words(self) -> str:
        """What the arm does.

        >>> PilArm().words, PilArm(0, -0.8).words, PilArm(2, -0.3, 0.7).words
        ('forecast', 'forecast, target -0.80 sd', 'ewma 0.1, target -0.30 sd, cycle x 0.7')
        """
        said = SOURCES[self.source]
        if self.shift:
            said += f", target {self.shift:+.2f} sd"
        return said if self.stretch == 1.0 else f"{said}, cycle x {self.stretch:.1f}"


class LevelArm(NamedTuple):
    """A way to fill up to a level."""

    source: int = 0
    usual: float = 1.0
    """The level is so many times the expected demand, …"""
    safety: float = 1.0
    """… and so much of what lies between that and the quantile that the costs ask for."""
    limit: float = FREE
    """A single order is at most one review interval's demand and so many deviations of it."""
    lots: float = 0.0
    """Order at the level, and up to so many economic lots above."""

    @property
    def kind(self) -> tuple[float, ...]:
        """What it has in common with arms that are run in another way."""
        return self.source, self.usual, self.limit, min(self.lots, 1.0)

    @property
    def words(self) -> str:
        """What the arm does.

        >>> LevelArm().words, LevelArm(2, safety=0.5, limit=1.0).words, LevelArm(0, FACTOR, 0.0).words
        ('base-stock', 'capped-base-stock of ewma 0.1, safety x 0.5', 'base-stock, demand x 1.2, safety x 0')
        """
        said = "s-S" if self.lots else "base-stock" if self.limit == FREE else "capped-base-stock"
        if self.source:
            said += f" of {SOURCES[self.source]}"
        parts = (("demand", self.usual), ("safety", self.safety), ("lot", self.lots or 1.0))
        return ", ".join([said, *(f"{part} x {times:g}" for part, times in parts if times != 1.0)])


Arm = PilArm | LevelArm
RULES: dict[str, Arm] = {
    "pil": PilArm(),
    "base-stock": LevelArm(),
    "capped-base-stock": LevelArm(limit=LIMIT),
    "one-point-two": LevelArm(usual=FACTOR, safety=0.0),
    "s-S": LevelArm(lots=1.0),
}
"""Arms that are simple rules."""


class Columns(NamedTuple):
    """Whom to ask about which stock, family by family."""

    stock: Places
    """Stocks to be projected for the family `pil`, …"""
    believed: Places
    """… by the demand that this source sees."""
    projection: Places
    """For each question to an arm of the family, the projection that it needs; below, what `PilArm` names."""
    source: Places
    shift: Floats
    pair: Places
    """Number of the pair of source and stretch."""
    position: Places
    """For each question to an arm of the family of levels, the stock that it is about; below, what `LevelArm` names."""
    level_source: Places
    usual: Floats
    safety: Floats
    limit: Floats
    free: Floats
    """Infinite where an order has no limit."""
    lot: Floats


class Menu(NamedTuple):
    """Arms by their place among the shadows."""

    arms: tuple[Arm, ...]
    lots: bool
    """Whether an order costs something."""
    rules: dict[str, int]
    """Where simple rules stand."""
    sources: Places
    stretches: tuple[float, ...]
    weights: Floats
    """What arms have to say where all are expected to cost the same: kinds of them as much as one another."""
    all: Columns
    """Every arm about its own stock, then about the stock of what they decide together, then about the item's."""
    alone: Columns
    """Every arm about the only stock there is."""

    @property
    def reference(self) -> int:
        """The arm that does what analysis alone would."""
        return self.rules["pil"]


def _menu(arms: list[Arm], stretches: tuple[float, ...], *, lots: bool) -> Menu:
    places = {name: arms.index(rule) for name, rule in RULES.items() if rule in arms}
    sources, count = np.array([arm.source for arm in arms]), len(arms)
    stocks = [*range(count), *[count] * count, *[count + 1] * count]
    everyone = columns(list(zip(arms * 3, stocks, strict=True)), stretches)
    alone = columns([(arm, 0) for arm in arms], stretches)
    kinds = [arm.kind for arm in arms]
    weights = np.array([1.0 / kinds.count(kind) for kind in kinds])
    return Menu(tuple(arms), lots, places, sources, stretches, weights, everyone, alone)


def columns(questions: list[tuple[Arm, int]], stretches: tuple[float, ...]) -> Columns:
    """Questions to arms, each about a stock; what two have in common is worked out once."""
    pil = [(arm, stock) for arm, stock in questions if isinstance(arm, PilArm)]
    levels = [(arm, stock) for arm, stock in questions if isinstance(arm, LevelArm)]
    projected = {pair: number for number, pair in enumerate(dict.fromkeys((stock, arm.source) for arm, stock in pil))}
    stocks, believed = zip(*projected, strict=True)
    source, shift, _ = zip(*(arm for arm, _ in pil), strict=True)
    level_source, usual, safety, limit, lot = (np.array(each) for each in zip(*(arm for arm, _ in levels), strict=True))
    bounded = np.isfinite(limit)
    return Columns(
        np.array(stocks),
        np.array(believed),
        np.array([projected[stock, arm.source] for arm, stock in pil]),
        np.array(source),
        np.array(shift),
        np.array([arm.source * len(stretches) + stretches.index(arm.stretch) for arm, _ in pil]),
        np.array([stock for _, stock in levels]),
        level_source,
        usual,
        safety,
        np.where(bounded, limit, 0.0),
        np.where(bounded, 0.0, FREE),
        lot,
    )


def _plain() -> list[Arm]:
    pil = [PilArm(source, shift) for source, shifts in enumerate(SHIFTS) for shift in shifts]
    unlimited = [LevelArm(0, safety=0.0)] + [
        LevelArm(source, safety=part) for source in STEADY for part in SAFETIES[1:]
    ]
    limited = [LevelArm(source, safety=part, limit=LIMIT) for source in STEADY for part in SAFETIES]
    return [*pil, *unlimited, *limited, RULES["one-point-two"], LevelArm(usual=FACTOR, safety=0.0, limit=LIMIT)]


def _lots() -> list[Arm]:
    pil = [PilArm(source, shift, part) for source in STEADY for shift in LOT_SHIFTS for part in STRETCHES]
    by_lots = [LevelArm(k, safety=safety, lots=lot) for k in STEADY for safety in SAFETIES[1:] for lot in (0.7, 1.0)]
    levels = [LevelArm(lots=1.4), LevelArm(), LevelArm(safety=0.5), LevelArm(limit=LIMIT), RULES["one-point-two"]]
    return [*pil, PilArm(len(STEADY)), *by_lots, *levels, LevelArm(usual=FACTOR, safety=0.0, limit=LIMIT)]


PLAIN = _menu(_plain(), (1.0,), lots=False)
LOTS = _menu(_lots(), STRETCHES, lots=True)
"""Where an order costs something."""
ARMS = len(PLAIN.arms)
PILS = sum(isinstance(arm, PilArm) for arm in PLAIN.arms)
"""Arms of the family `pil`; they come first."""
