"""The cost ledger: what champion and simple rules have cost on the same demand, and whether the champion is worse.

Costs of neighbouring periods hang together, so differences are summed over blocks of periods, and blocks are compared
by Student's test for pairs, the old ones fading. The champion is held against the rule that is best for items of its
class (`class_costs.py`): the best rule of the item alone would be a lucky one.
"""

import math
from collections.abc import Sequence

import msgspec

BLOCK = 7
"""Periods summed into one observation."""
FADE = 1.0 / 40.0
"""Weight of the newest block once 40 have been seen."""
LEAST_BLOCKS = 3
TRIAL = 8
"""Blocks after which a fallen champion is looked at anew; it comes back unless it still seems to cost more."""
CONFIDENCE = 0.995
"""Chance of being right when the champion is called worse."""
MATTERS = 0.02
"""What costs less than this share more is no reason to fall."""
# fmt: off
BOUNDS = (
    63.6567, 63.6567, 63.6567, 9.9248, 5.8409, 4.6041, 4.0321, 3.7074, 3.4995, 3.3554, 3.2498, 3.1693, 3.1058,
    3.0545, 3.0123, 2.9768, 2.9467, 2.9208, 2.8982, 2.8784, 2.8609, 2.8453, 2.8314, 2.8188, 2.8073, 2.7969, 2.7874,
    2.7787, 2.7707, 2.7633, 2.7564, 2.75, 2.744, 2.7385, 2.7333, 2.7284, 2.7238, 2.7195, 2.7154, 2.7116, 2.7079,
)
# fmt: on
"""Student's quantile at CONFIDENCE for so many blocks."""


class ContestLedger(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """Costs by contestant, and the champion's against each rule's.

    >>> ledger = ContestLedger.of(2)
    >>> for period in range(3 * BLOCK):
    ...     ledger.enter([5.0 + period % 2, 1.0, 2.0], rule=0)
    >>> ledger.costs, ledger.fallen, round(ledger.advantage, 2)
    ([115.0, 21.0, 42.0], True, -4.48)
    """

    costs: list[float]
    """Since the beginning: champion, baseline, then the challengers."""
    underway: list[float]
    """Champion less each rule, in the block that is not full yet."""
    mean: list[float]
    square: list[float]
    """Mean and mean square of the difference by block."""
    periods: int = 0
    blocks: int = 0
    fallen: bool = False
    """Whether a rule acts because the champion was credibly worse, …"""
    rule: int = 0
    """… and which one."""

    @classmethod
    def of(cls, rules: int) -> "ContestLedger":
        """Nothing has been paid."""
        return cls([0.0] * (rules + 1), [0.0] * rules, [0.0] * rules, [0.0] * rules)

    def enter(self, costs: Sequence[float], rule: int) -> None:
        """Take in what each contestant's period cost; a champion whose cost is no number falls.

        `rule` is the one that the champion is held against.
        """
        if not all(map(math.isfinite, costs)):
            self._fall(rule)
            return
        own, sums, underway = costs[0], self.costs, self.underway
        sums[0] += own
        for number in range(len(underway)):
            cost = costs[number + 1]
            sums[number + 1] += cost
            underway[number] += own - cost
        self.periods += 1
        if self.periods % BLOCK == 0:
            self._close(rule)

    def _close(self, rule: int) -> None:
        """A block is full: judge."""
        self.blocks += 1
        rate = max(1.0 / self.blocks, FADE)
        for number, found in enumerate(self.underway):
            self.mean[number] += rate * (found - self.mean[number])
            self.square[number] += rate * (found * found - self.square[number])
            self.underway[number] = 0.0
        if not self.fallen and self.worse(rule):
            self._fall(rule)
        elif self.fallen and self.blocks == TRIAL:
            self.fallen = self.mean[rule] > self._error(rule)
            self._forget(rule)

    def _fall(self, rule: int) -> None:
        self.fallen = True
        self._forget(rule)

    def _forget(self, rule: int) -> None:
        """Judge anew from here: neither a bad beginning nor a good one counts for ever."""
        self.rule, self.blocks = rule, 0
        self.mean, self.square = ([0.0] * len(self.mean) for _ in range(2))

    def worse(self, rule: int) -> bool:
        """Whether the champion is credibly dearer than a rule, by as much as matters."""
        count = min(self.blocks, round(1 / FADE))
        if count < LEAST_BLOCKS or self.mean[rule] <= 0.0:
            return False
        usual = self.costs[rule + 1] / max(self.periods, 1) * BLOCK
        return self.mean[rule] > BOUNDS[count] * self._error(rule) + MATTERS * usual

    def _error(self, rule: int) -> float:
        """Standard error of the mean difference."""
        count = max(min(self.blocks, round(1 / FADE)), 2)
        return math.sqrt(max(self.square[rule] - self.mean[rule] * self.mean[rule], 0.0) / (count - 1))

    @property
    def advantage(self) -> float:
        """Share by which the champion cost less than the baseline; negative when more."""
        return (self.costs[1] - self.costs[0]) / self.costs[1] if self.costs[1] > 0.0 else 0.0

    def fits(self, rules: int) -> bool:
        """Whether read numbers can be those of so many rules."""
        by_rule = [self.underway, self.mean, self.square]
        whole = len(self.costs) == rules + 1 and all(len(each) == rules for each in by_rule)
        numbers = [*self.costs, *(number for each in by_rule for number in each)]
        return (
            whole
            and all(map(math.isfinite, numbers))
            and min(self.periods, self.blocks, self.rule) >= 0
            and (self.rule < rules)
        )
