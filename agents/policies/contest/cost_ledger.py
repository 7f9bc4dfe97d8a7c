"""The cost ledger: what champion, baseline and challengers have cost on the same demand, and who is credibly worse.

Costs of neighbouring periods hang together, so differences are summed over blocks of periods, and blocks are compared
by Student's test for pairs, the old ones fading.
"""

import math

import msgspec
from scipy.special import stdtrit

BLOCK = 7
"""Periods summed into one observation."""
FADE = 1.0 / 40.0
"""Weight of the newest block once 40 have been seen."""
LEAST_BLOCKS = 3
TRIAL = 8
"""Blocks after which a fallen champion is looked at anew; it comes back unless it still seems to cost more."""
CONFIDENCE = 0.995
"""Chance of being right when the champion is called worse."""
_BOUNDS = tuple(float(stdtrit(max(blocks - 1, 1), CONFIDENCE)) for blocks in range(round(1 / FADE) + 1))


class ContestLedger(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """Costs by contestant, and the champion's against the baseline's.

    >>> ledger = ContestLedger([0.0, 0.0])
    >>> for period in range(3 * BLOCK):
    ...     ledger.enter([5.0 + period % 2, 1.0])
    >>> ledger.costs, ledger.fallen, round(ledger.advantage, 2)
    ([115.0, 21.0], True, -4.48)
    """

    costs: list[float]
    """Since the beginning: champion, baseline, then the challengers."""
    periods: int = 0
    blocks: int = 0
    underway: float = 0.0
    """Champion less baseline, in the block that is not full yet."""
    mean: float = 0.0
    square: float = 0.0
    """Mean and mean square of the difference by block."""
    fallen: bool = False
    """Whether the baseline acts because the champion was credibly worse."""

    def enter(self, costs: list[float]) -> None:
        """Take in what each contestant's period cost; a champion whose cost is no number falls."""
        if not all(map(math.isfinite, costs)):
            self.fallen = True
            self._forget()
            return
        for number, cost in enumerate(costs):
            self.costs[number] += cost
        self.periods += 1
        self.underway += costs[0] - costs[1]
        if self.periods % BLOCK == 0:
            self._close()

    def _close(self) -> None:
        """A block is full: judge."""
        self.blocks += 1
        rate = max(1.0 / self.blocks, FADE)
        self.mean += rate * (self.underway - self.mean)
        self.square += rate * (self.underway**2 - self.square)
        self.underway = 0.0
        if not self.fallen and self.worse:
            self.fallen = True
            self._forget()
        elif self.fallen and self.blocks == TRIAL:
            self.fallen = self.mean > self._error
            self._forget()

    def _forget(self) -> None:
        """Judge anew from here: neither a bad beginning nor a good one counts for ever."""
        self.blocks, self.mean, self.square = 0, 0.0, 0.0

    @property
    def worse(self) -> bool:
        """Whether the champion is credibly dearer than the baseline."""
        count = min(self.blocks, round(1 / FADE))
        if count < LEAST_BLOCKS or self.mean <= 0.0:
            return False
        return self.mean > _BOUNDS[count] * self._error + 1e-9 * abs(self.costs[1])

    @property
    def _error(self) -> float:
        """Standard error of the mean difference."""
        count = max(min(self.blocks, round(1 / FADE)), 2)
        return math.sqrt(max(self.square - self.mean**2, 0.0) / (count - 1))

    @property
    def advantage(self) -> float:
        """Share by which the champion cost less than the baseline; negative when more."""
        return (self.costs[1] - self.costs[0]) / self.costs[1] if self.costs[1] > 0.0 else 0.0
