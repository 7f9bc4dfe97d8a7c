"""What the items of a shard share: by kind of item, what each arm cost beyond the analytic rule.

Each period of each item counts from the first on that could tell arms apart. Costs of items of very different size are
brought together by the root of what an item usually costs: the total of costs matters, and so does every item.
"""

from collections.abc import Mapping

import msgspec
import numpy as np

from agents.policies.arrays import Floats

MEMORY = 20_000.0
"""Item-periods over which the pool forgets."""

RECENT = 2.0
"""The n-th item-period counts n times as much as the first: what young items had to pay fades when they are older."""


ALIKE = 0.1
"""How alike the periods of two items are: a promotion or a season meets the whole shard."""


class Share(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """One kind, as it is stored."""

    weight: float
    rounds: int
    usual: float
    excess: list[float]


class Pooled:
    """One kind: means over item-periods."""

    __slots__ = ("excess", "rounds", "usual", "weight")

    def __init__(self, weight: float, rounds: int, usual: float, excess: Floats) -> None:
        self.weight = weight
        self.rounds = rounds
        """Periods of the item that has seen most."""
        self.usual = usual
        """What an item-period usually costs."""
        self.excess = excess
        """By which each arm costs more than the analytic rule."""

    def evidence(self, without: int) -> float:
        """Item-periods of other items, as many as would say as much if no two items were alike."""
        others = max(self.weight - without, 0.0)
        return others / (1.0 + ALIKE * max(others / max(self.rounds, 1) - 1.0, 0.0))

    def learn(self, excess: Floats, usual: float, seen: int) -> None:
        """Take in an item's period; `seen` counts its periods."""
        self.rounds = max(self.rounds, seen)
        self.weight = min(self.weight + 1.0, MEMORY)
        rate = RECENT / (self.weight + RECENT - 1.0)
        self.usual += rate * (usual - self.usual)
        step = excess - self.excess
        step *= rate
        self.excess += step


class Pool:
    """Means by kind.

    >>> pool = Pool(2)
    >>> pool.learn(("p",), np.array([0.0, 0.2]), 1.0, 1)
    >>> pool.learn(("p",), np.array([0.0, 0.4]), 1.0, 2)
    >>> pool.worth("p")[0].round(2).tolist(), pool.worth("p")[1]
    ([0.0, 0.33], 2.0)
    >>> sorted(pool.dump()), sorted(pool.dump())
    (['p'], [])
    """

    def __init__(self, arms: int) -> None:
        self.arms = arms
        self._kinds: dict[str, Pooled] = {}
        self._changed: set[str] = set()

    def worth(self, kind: str, without: int = 0) -> tuple[Floats, float]:
        """By which share of usual costs each arm is dearer, and how much others' periods say of that."""
        found = self._kinds.get(kind)
        if found is None or found.usual <= 0.0:
            return np.zeros(self.arms), 0.0
        return found.excess / found.usual, found.evidence(without)

    def learn(self, kinds: tuple[str, ...], excess: Floats, usual: float, seen: int) -> None:
        """Take in what an item's period cost in each of its kinds; `seen` counts its periods."""
        for kind in kinds:
            if kind not in self._kinds:
                self._kinds[kind] = Pooled(0.0, 0, 0.0, np.zeros(self.arms))
            self._kinds[kind].learn(excess, usual, seen)
            self._changed.add(kind)

    def dump(self) -> Mapping[str, bytes]:
        """Write the kinds that have changed since the last call."""
        changed, self._changed = self._changed, set()
        return {
            kind: msgspec.msgpack.encode(Share(found.weight, found.rounds, found.usual, found.excess.tolist()))
            for kind in sorted(changed)
            for found in (self._kinds[kind],)
        }

    def load(self, parts: Mapping[str, bytes]) -> None:
        """Read kinds; one that is none raises ValueError."""
        for kind, data in parts.items():
            try:
                share = msgspec.msgpack.decode(data, type=Share)
            except msgspec.MsgspecError as error:
                raise ValueError(f"not a prior of the kind {kind!r}: {error}") from error
            excess = np.asarray(share.excess)
            sound = (
                len(excess) == self.arms
                and np.isfinite(excess).all()
                and 0.0 <= share.usual < np.inf
                and share.rounds >= 0
            )
            if not sound or not 0.0 <= share.weight <= MEMORY:
                raise ValueError(f"not a prior of the kind {kind!r}: {len(excess)} arms of {self.arms}")
            self._kinds[kind] = Pooled(share.weight, share.rounds, share.usual, excess)
