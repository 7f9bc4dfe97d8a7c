"""The arms of `pil-q`: families of rules, each run in several ways, tried in shadow.

An arm of the family `pil` says whose demand to believe (the item's forecast, or the item's own average at some rate),
how far to move the target (in standard deviations) and, where orders cost something, how far to stretch a cycle. An arm
of the family of levels fills the position up: to so many times the expected demand of the protection interval and a
share of what the costs want beyond that, with a limit to the single order, or, where orders cost something, by lots.
Base-stock, capped base-stock, forecast × 1.2 and (s, S) are among these, just as their rules have them.

The shadows of an item stand side by side: the family `pil`, the levels, and last that of what arms decide together.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from agents.kernel.compiled import Records
from agents.policies.rules.capped_base_stock import LIMIT
from agents.policies.rules.one_point_two import FACTOR

SOURCES = ("forecast", "running mean", "ewma 0.1", "ewma 0.3")
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


ARM = np.dtype(
    [
        ("projects", np.bool_),
        ("source", np.int64),
        ("shift", np.float64),
        ("stretch", np.float64),
        ("pair", np.int64),
        ("usual", np.float64),
        ("safety", np.float64),
        ("limit", np.float64),
        ("lots", np.float64),
        ("weight", np.float64),
    ],
    align=True,
)
"""An arm as the kernel reads it: whether it is of the family `pil`; what its family names, and the number of its pair
of source and stretch; what it has to say where all are expected to cost the same: each kind of arm as much."""


class Menu(NamedTuple):
    """Arms by their place among the shadows: the family `pil`, then the levels, each led by its simple rule."""

    arms: tuple[Arm, ...]
    table: Records
    words: tuple[str, ...]
    rules: dict[str, int]
    """Where simple rules stand."""


def _menu(arms: Sequence[Arm]) -> Menu:
    kinds = [arm.kind for arm in arms]
    table = np.zeros(len(arms), ARM)
    for record, arm in zip(table, arms, strict=True):
        record["stretch"] = 1.0
        for name, value in arm._asdict().items():
            record[name] = value
        record["pair"] = record["source"] * len(STRETCHES) + STRETCHES.index(record["stretch"])
        record["projects"], record["weight"] = isinstance(arm, PilArm), 1.0 / kinds.count(arm.kind)
    places = {name: arms.index(rule) for name, rule in RULES.items() if rule in arms}
    return Menu(tuple(arms), table, tuple(arm.words for arm in arms), places)


def _plain() -> list[Arm]:
    pil: list[Arm] = [PilArm(source, shift) for source, shifts in enumerate(SHIFTS) for shift in shifts]
    unlimited = [LevelArm(source, safety=part) for source in STEADY for part in SAFETIES[1:]]
    limited = [LevelArm(source, safety=part, limit=LIMIT) for source in STEADY for part in SAFETIES]
    multiples = [RULES["one-point-two"], LevelArm(usual=FACTOR, safety=0.0, limit=LIMIT)]
    return [*_led(pil), *_led([LevelArm(0, safety=0.0), *unlimited, *limited, *multiples])]


def _lots() -> list[Arm]:
    pil: list[Arm] = [PilArm(source, shift, part) for source in STEADY for shift in LOT_SHIFTS for part in STRETCHES]
    by_lots = [LevelArm(k, safety=safety, lots=lot) for k in STEADY for safety in SAFETIES[1:] for lot in (0.7, 1.0)]
    levels = [LevelArm(lots=1.4), LevelArm(), LevelArm(safety=0.5), LevelArm(limit=LIMIT), RULES["one-point-two"]]
    return [
        *_led([*pil, PilArm(len(STEADY))]),
        *_led([*by_lots, *levels, LevelArm(usual=FACTOR, safety=0.0, limit=LIMIT)]),
    ]


def _led(arms: list[Arm]) -> list[Arm]:
    """The simple rule of a family, then its other arms."""
    rule = type(arms[0])()
    return [rule, *(arm for arm in arms if arm != rule)]


PLAIN = _menu(_plain())
LOTS = _menu(_lots())
"""Where an order costs something."""
ARMS = len(PLAIN.arms)
ANALYTIC = 0
"""The arm that does what analysis alone would, …"""
BASE_STOCK = PILS = PLAIN.rules["base-stock"]
"""… and the simplest of the other family, which comes after that many of the family `pil`: places in every menu."""
