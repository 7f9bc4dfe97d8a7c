"""How long suppliers take, learned from orders and their receipts: a distribution per item and supplier.

An item's own receipts are few, so they are pooled: chances are the item's counts, plus its supplier's as a few
pseudo-counts, which begin with what the supplier promised. Counts fade, so that a supplier who changes is followed.
What arrives in parts counts in parts, at the time of each. What was given up, or closed short, counts as lost until
it arrives after all; what was withdrawn or refused teaches nothing, for nobody waited it out.

Lead times are whole periods: a unit ordered at the end of a period that can be sold in the next one took 0.

>>> suppliers = LeadTimes()
>>> known = suppliers.fresh()
>>> suppliers.chances(known, "acme", promised=2)
(0.0, 0.0, 1.0)
>>> for periods in (2, 3, 3, 3, 4):
...     suppliers.learn(known, "acme", periods)
>>> suppliers.chances(known, "acme", promised=2)
(0.0, 0.0, 0.296875, 0.515625, 0.1875)
>>> suppliers.lose(known, "acme", share=0.5)
>>> 0.0 < 1.0 - sum(suppliers.chances(known, "acme", promised=2)) < 0.1
True
"""

from collections.abc import Mapping
from itertools import pairwise
from math import isfinite

import msgspec

from agents.kernel.arithmetic import exp, log
from schemas.stored import decoder_of

PROMISE_PRIOR = 2.0
"""Receipts that the supplier's promise counts for."""
SUPPLIER_PRIOR = 4.0
"""Receipts that all other items of the supplier count for in an item's chances."""
ITEM_KEEP, SUPPLIER_KEEP = 0.97, 0.995
"""Share of the counts left after another receipt: the last 30 of an item, the last 200 of a supplier."""
MOST_PERIODS = 400
MOST_TIMES = 24
"""Distinct lead times counted at once; more are joined with their neighbours."""
MOST_OF_ITEM = 3
MOST_SUPPLIERS = 1024
"""Suppliers of an item, and of a shard, that are remembered."""
STEPS = 64
"""Chances are multiples of 1/64, so that items alike have the same and what is worked out for one serves all."""
_FORGOTTEN = 1e-3
"""Counts and shares below it are none."""


class Counts(msgspec.Struct, array_like=True):
    """Faded counts by lead time, shortest first, and of what never came."""

    times: dict[int, float] = {}
    lost: float = 0.0

    @property
    def total(self) -> float:
        """All that was ordered."""
        return sum(self.times.values()) + self.lost

    def fade(self, keep: float, share: float) -> None:
        """Make room for another receipt, or a part of one."""
        kept = keep if share == 1.0 else exp(share * log(keep))
        self.times = {time: count * kept for time, count in self.times.items() if count * kept > _FORGOTTEN}
        self.lost = self.lost * kept if self.lost * kept > _FORGOTTEN else 0.0

    def count(self, time: int, share: float) -> None:
        """Count a receipt; when there are too many lead times, the two that differ least become one."""
        if time not in self.times:
            self.times = dict(sorted([*self.times.items(), (time, 0.0)]))
        self.times[time] += share
        if len(self.times) > MOST_TIMES:
            low, high = min(pairwise(self.times), key=lambda pair: (pair[1] - pair[0]) / (pair[1] + 1))
            kept, gone = (low, high) if self.times[low] > self.times[high] else (high, low)
            self.times[kept] += self.times.pop(gone)

    def check(self) -> None:
        """Refuse counts that nobody could have counted."""
        times, amounts = list(self.times), (*self.times.values(), self.lost)
        in_range = len(times) <= MOST_TIMES and all(0 <= time <= MOST_PERIODS for time in times)
        if times != sorted(times) or not in_range or not all(isfinite(amount) and amount >= 0.0 for amount in amounts):
            raise ValueError("not what is known of lead times: a count is out of range")


Known = dict[str, Counts]
"""What is known of an item: counts by supplier, the one last heard of at the end."""

_encode = msgspec.msgpack.Encoder().encode
_decode = decoder_of(Known, "what is known of an item's lead times")


class LeadTimes:
    """The lead times of one shard: its suppliers' counts, and what an item's chances are."""

    def __init__(self) -> None:
        self._suppliers: Known = {}
        self._changed: set[str] = set()

    def fresh(self) -> Known:
        """Know nothing of an item."""
        return {}

    def learn(self, state: Known, supplier: str | None, periods: int, share: float = 1.0) -> None:
        """Take in a receipt: so long after the order came this share of what was ordered."""
        time = min(max(int(periods), 0), MOST_PERIODS)
        if (share := _part(share)) >= _FORGOTTEN:
            for counts, keep in self._both(state, supplier):
                counts.fade(keep, share)
                counts.count(time, share)

    def lose(self, state: Known, supplier: str | None, share: float = 1.0) -> None:
        """Take in that this share of an order was given up, or will never come."""
        if (share := _part(share)) >= _FORGOTTEN:
            for counts, keep in self._both(state, supplier):
                counts.fade(keep, share)
                counts.lost += share

    def find(self, state: Known, supplier: str | None, share: float = 1.0) -> None:
        """Take back a loss: this share of an order that was given up arrived after all, and is learned besides."""
        name = supplier or ""
        if name in state:
            state[name].lost = max(0.0, state[name].lost - _part(share))
        if name in self._suppliers:
            self._changed.add(name)
            self._suppliers[name].lost = max(0.0, self._suppliers[name].lost - _part(share))
            if self._suppliers[name].total == 0.0:
                del self._suppliers[name]

    def chances(self, state: Known, supplier: str | None, promised: int) -> tuple[float, ...]:
        """Chances of a lead time of 0, 1, 2… periods; what is missing to 1 is the chance of a loss."""
        name = supplier or ""
        own, pool = state.get(name, Counts()), self._suppliers.get(name, Counts())
        promised = min(max(promised, 0), MOST_PERIODS)
        pooled = SUPPLIER_PRIOR / (pool.total + PROMISE_PRIOR)
        whole = own.total + SUPPLIER_PRIOR
        weights: dict[int, float] = {}
        for times, factor in ((own.times, 1.0), (pool.times, pooled), ({promised: PROMISE_PRIOR}, pooled)):
            for time, count in times.items():
                weights[time] = weights.get(time, 0.0) + factor * count / whole
        return _stepped(dict(sorted(weights.items())), (own.lost + pooled * pool.lost) / whole)

    def forget(self) -> None:
        """Begin anew, because time passes in other periods from here on."""
        self._changed |= self._suppliers.keys()
        self._suppliers = {}

    # State --------------------------------------------------------------------------------------------------------

    def dump(self, state: Known) -> bytes:
        """Write what is known of an item."""
        return _encode(state)

    def load(self, data: bytes) -> Known:
        """Read what is known of an item; a blob that is none raises ValueError."""
        state = _decode(data)
        check(state)
        return state

    def dump_shared(self) -> Mapping[str, bytes]:
        """Write the suppliers heard of since the last call, a part each."""
        parts = {name: _encode(self._suppliers.get(name, Counts())) for name in sorted(self._changed)}
        self._changed = set()
        return {f"supplier {name}": data for name, data in parts.items()}

    def load_shared(self, parts: Mapping[str, bytes]) -> None:
        """Read suppliers; one without counts is one that was forgotten."""
        for part in sorted(parts):
            name = part.removeprefix("supplier ")
            try:
                counts = msgspec.msgpack.decode(parts[part], type=Counts)
            except msgspec.MsgspecError as error:
                raise ValueError(f"not what is known of supplier {name!r}: {error}") from error
            counts.check()
            if counts.total > 0.0:
                self._suppliers[name] = counts

    def _both(self, state: Known, supplier: str | None) -> tuple[tuple[Counts, float], tuple[Counts, float]]:
        """The item's counts and the supplier's, made where there are none."""
        name = supplier or ""
        own = state[name] = state.pop(name, Counts())
        for oldest in list(state)[:-MOST_OF_ITEM]:
            del state[oldest]
        if name not in self._suppliers and len(self._suppliers) >= MOST_SUPPLIERS:
            least = min(self._suppliers, key=lambda known: (self._suppliers[known].total, known))
            del self._suppliers[least]
            self._changed.add(least)
        pool = self._suppliers.setdefault(name, Counts())
        self._changed.add(name)
        return (own, ITEM_KEEP), (pool, SUPPLIER_KEEP)


def check(state: Known) -> None:
    """Refuse, with a ValueError, what nobody can know of an item."""
    for counts in state.values():
        counts.check()


def _part(share: float) -> float:
    return min(max(share, 0.0), 1.0) if isfinite(share) else 0.0


def _stepped(weights: dict[int, float], lost: float) -> tuple[float, ...]:
    """Weights by time as multiples of 1/STEPS that add up, with `lost`, to 1: the largest remainders are rounded up."""
    exact = [STEPS * weight for weight in (*weights.values(), lost)]
    steps = [int(value) for value in exact]
    missing = STEPS - sum(steps)
    if missing:
        for place in sorted(range(len(exact)), key=lambda place: (steps[place] - exact[place], place))[:missing]:
            steps[place] += 1
    came = {time: step for time, step in zip(weights, steps, strict=False) if step}
    if not came:
        came = {max(weights, key=weights.__getitem__): 1}
    chances = [0.0] * (max(came) + 1)
    for time, step in came.items():
        chances[time] = step / STEPS
    return tuple(chances)
