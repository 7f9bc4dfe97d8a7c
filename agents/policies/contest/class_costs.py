"""What simple rules cost items of each class, so that a champion is held against the one that is best there.

A class is items of the same terms (`classes.py`). Items of very different size count by the root of what they cost.
"""

import math
from collections.abc import Sequence

import msgspec

from agents.policies.shared_parts import SharedParts
from schemas.stored import decoder_of

MEMORY = 20_000.0
"""Item-periods over which costs fade."""
LEAST = 50.0
"""Item-periods before which the baseline stands for all rules."""


class RuleCosts(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """Costs of one class: the item-periods behind them, and the mean of each rule."""

    weight: float
    means: list[float]


_decode = decoder_of(RuleCosts, "what rules cost a class")


class ClassCosts:
    """Costs of rules by class, shared by a shard.

    >>> known = ClassCosts(2)
    >>> for _ in range(60):
    ...     known.learn("p", [4.0, 3.0], usual=4.0)
    >>> known.best("p"), known.best("another")
    (1, 0)
    """

    def __init__(self, rules: int) -> None:
        self._rules = rules
        self._classes = SharedParts(_decode, self._fits, "what rules cost the class")
        self.dump, self.load = self._classes.dump, self._classes.load

    def learn(self, kind: str, costs: Sequence[float], usual: float) -> None:
        """Take in what a period of an item cost by each rule; `usual` is what its periods cost."""
        if not usual > 0.0 or not all(map(math.isfinite, costs)):
            return
        known = self._classes.get(kind) or RuleCosts(0.0, [0.0] * self._rules)
        known.weight = min(known.weight + 1.0, MEMORY)
        scale, means = 1.0 / math.sqrt(usual), known.means
        for number, cost in enumerate(costs):
            means[number] += (cost * scale - means[number]) / known.weight
        self._classes[kind] = known

    def best(self, kind: str) -> int:
        """The cheapest rule of a class; the baseline, which is the first, while little is known."""
        known = self._classes.get(kind)
        return 0 if known is None or known.weight < LEAST else known.means.index(min(known.means))

    def _fits(self, known: RuleCosts) -> bool:
        whole = len(known.means) == self._rules and 0.0 <= known.weight <= MEMORY
        return whole and all(map(math.isfinite, known.means))
