"""What the items of a shard share: by kind of item, what each arm cost beyond the analytic rule.

Each period of each item counts from the first on that could tell arms apart. Costs of items of very different size are
brought together by the root of what an item usually costs: the total of costs matters, and so does every item.
"""

from collections.abc import Mapping

import numpy as np

from agents.kernel.compiled import Numbers, Record, Records, compiled
from agents.kernel.records import read
from agents.policies.pil_q.arms import ARMS

MEMORY = 20_000.0
"""Item-periods over which the pool forgets."""
RECENT = 2.0
"""The n-th item-period counts n times as much as the first: what young items had to pay fades when they are older."""
ALIKE = 0.1
"""How alike the periods of two items are: a promotion or a season meets the whole shard."""

POOLED = np.dtype(
    [("weight", np.float64), ("rounds", np.int64), ("usual", np.float64), ("excess", np.float64, ARMS)], align=True
)
"""One kind: how many item-periods, periods of the item that has seen most, what an item-period usually costs, and by
how much each arm costs more than the analytic rule."""

MOST_VARIABILITY = 6
PLACES = ("", *(f" {variability}{sure}" for variability in range(MOST_VARIABILITY + 1) for sure in "cr"))
"""What a class and its kinds are called, after the name of the class."""


@compiled
def pool(pooled: Record, excess: Numbers, usual: float, seen: int) -> None:
    """Take in an item's period; `seen` counts its periods."""
    pooled["rounds"] = max(pooled["rounds"], seen)
    pooled["weight"] = min(pooled["weight"] + 1.0, MEMORY)
    rate, means = RECENT / (pooled["weight"] + RECENT - 1.0), pooled["excess"]
    pooled["usual"] += rate * (usual - pooled["usual"])
    for number in range(len(excess)):
        means[number] += rate * (excess[number] - means[number])


@compiled
def evidence(pooled: Record, without: int) -> float:
    """Item-periods of other items, as many as would say as much if no two items were alike."""
    others = max(pooled["weight"] - without, 0.0)
    return float(others / (1.0 + ALIKE * max(others / max(pooled["rounds"], 1) - 1.0, 0.0)))


@compiled
def kind_of(variability: int, sure: bool) -> int:  # noqa: FBT001 - Numba has no keywords only
    """The place of a kind in its class: items as variable, with lead times as sure; place 0 is the class."""
    return 1 + 2 * variability + (0 if sure else 1)


class Pool:
    """Means by class of items, and by kind within it.

    >>> known = Pool()
    >>> pool(known.of("pl62")[kind_of(3, False)], np.full(ARMS, 0.3), 1.0, 1)
    >>> known.changed("pl62", kind_of(3, False))
    >>> sorted(known.dump()), sorted(known.dump())
    (['pl62', 'pl62 3r'], [])
    """

    def __init__(self) -> None:
        self._classes: dict[str, Records] = {}
        self._changed: set[tuple[str, int]] = set()

    def of(self, kind: str) -> Records:
        """What is known of a class and its kinds, by place; to be read and changed."""
        known = self._classes.get(kind)
        if known is None:
            known = self._classes[kind] = np.zeros(len(PLACES), POOLED)
        return known

    def changed(self, kind: str, place: int) -> None:
        """Have what is known of a class, and of a kind of it, written."""
        self._changed.add((kind, 0))
        self._changed.add((kind, place))

    def dump(self) -> Mapping[str, bytes]:
        """Write what has changed since the last call."""
        changed, self._changed = self._changed, set()
        return {f"{kind}{PLACES[place]}": self._classes[kind][place].tobytes() for kind, place in sorted(changed)}

    def load(self, parts: Mapping[str, bytes]) -> None:
        """Read parts; one that is none raises ValueError."""
        for name, data in parts.items():
            kind, space, rest = name.partition(" ")
            if space + rest not in PLACES or len(data) != POOLED.itemsize:
                raise ValueError(f"not a prior of the kind {name!r}: {len(data)} bytes of {POOLED.itemsize}")
            known = read(data, POOLED)[0]
            if not 0.0 <= known["weight"] <= MEMORY or known["usual"] < 0.0:
                raise ValueError(f"not a prior of the kind {name!r}: numbers out of range")
            self.of(kind)[PLACES.index(space + rest)] = known
