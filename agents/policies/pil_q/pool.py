"""What the items of a shard share: by kind of item, what each arm was worth relative to the analytic rule."""

from collections.abc import Mapping

import msgspec
import numpy as np

from agents.policies.arrays import Floats

MEMORY = 20_000.0
"""Item-periods over which the pool forgets."""
INTERVAL = 16
"""An item contributes once in so many periods."""


class Share(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """One kind, as it is stored."""

    weight: float
    worth: list[float]


class Pool:
    """Weighted means by kind.

    >>> pool = Pool(2)
    >>> pool.learn("p", np.array([0.0, 0.2]), 16)
    >>> pool.learn("p", np.array([0.0, 0.4]), 16)
    >>> pool.worth("p")[0].round(2).tolist(), pool.worth("p")[1]
    ([0.0, 0.3], 32.0)
    >>> sorted(pool.dump()), sorted(pool.dump())
    (['p'], [])
    """

    interval = INTERVAL

    def __init__(self, arms: int) -> None:
        self.arms = arms
        self._shares: dict[str, tuple[float, Floats]] = {}
        self._changed: set[str] = set()
        self._nothing = (np.zeros(arms), 0.0)

    def worth(self, kind: str) -> tuple[Floats, float]:
        """Relative worth of each arm, and the item-periods behind it."""
        share = self._shares.get(kind)
        return self._nothing if share is None else (share[1], share[0])

    def learn(self, kind: str, worth: Floats, periods: int) -> None:
        """Take in what an item has found."""
        weight, mean = self._shares.get(kind, (0.0, np.zeros(self.arms)))
        weight = min(weight + periods, MEMORY)
        self._shares[kind] = (weight, mean + periods / weight * (np.clip(worth, -1.0, 1.0) - mean))
        self._changed.add(kind)

    def dump(self) -> Mapping[str, bytes]:
        """Write the kinds that have changed since the last call."""
        changed, self._changed = self._changed, set()
        return {
            kind: msgspec.msgpack.encode(Share(self._shares[kind][0], self._shares[kind][1].tolist()))
            for kind in sorted(changed)
        }

    def load(self, parts: Mapping[str, bytes]) -> None:
        """Read kinds; one that is none raises ValueError."""
        for kind, data in parts.items():
            try:
                share = msgspec.msgpack.decode(data, type=Share)
            except msgspec.MsgspecError as error:
                raise ValueError(f"not a prior of the kind {kind!r}: {error}") from error
            worth = np.asarray(share.worth)
            if len(worth) != self.arms or not np.isfinite(worth).all() or not 0.0 <= share.weight <= MEMORY:
                raise ValueError(f"not a prior of the kind {kind!r}: {len(worth)} arms of {self.arms}")
            self._shares[kind] = (share.weight, worth)
