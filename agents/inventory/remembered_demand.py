"""An item's demand by closed period, as it stands: corrections are checked against it, and late demand goes into it.

Either changes a period here, and the next review learns the past again from here; until then it is kept beside
what was learned. An ordinary period is a number, so that 400 of them take some 600 bytes; one that was shut, promoted
or without stock is written out.

>>> from schemas.quantities import DAY_MS
>>> remembered = RememberedDemand()
>>> for day, demand in enumerate((4, 100_000, 5)):
...     remembered.add(day * DAY_MS, (day + 1) * DAY_MS, RememberedPeriod(demand))
>>> remembered.demand(DAY_MS + 7), remembered.change(DAY_MS + 7, -99_997), remembered.demand(DAY_MS)
(100000, None, 3)
>>> remembered.before, remembered.demand(3 * DAY_MS), len(remembered)
({86400000: 100000}, 0, 3)
"""

from collections.abc import Callable, Iterator

import msgspec

from agents.inventory.catalogue import Plan
from schemas.ledger import Milliseconds
from schemas.stored import decoder_of

MOST = 400
"""Periods that are remembered: a year of days, and some."""


class RememberedPeriod(msgspec.Struct, array_like=True, gc=False, frozen=True):
    """What is remembered of a closed period."""

    demand: int
    censored: bool = False
    is_open: bool = True
    promotion: float = 0.0

    @property
    def is_ordinary(self) -> bool:
        """Whether the demand says it all."""
        return self.is_open and not self.censored and self.promotion == 0.0


class RememberedDemand(msgspec.Struct, array_like=True, gc=False):
    """The last closed periods of an item, one after the other and of one length."""

    period_ms: Milliseconds = 0
    ends: Milliseconds = 0
    """End of the newest."""
    periods: list[int | RememberedPeriod] = []
    """Oldest first."""
    before: dict[Milliseconds, int] = {}
    """What demand was learned to be, by the start of its period, where it was corrected since the last review."""
    unseen: int = 0
    """So many of the oldest were put before the others since the last review."""

    def __len__(self) -> int:
        return len(self.periods)

    def add(self, starts: Milliseconds, ends: Milliseconds, period: RememberedPeriod) -> None:
        """Remember one more period; those of another length are forgotten."""
        if starts != self.ends or ends - starts != self.period_ms:
            self.period_ms, self.periods, self.before, self.unseen = ends - starts, [], {}, 0
        self.ends = ends
        self.periods.append(0)
        self._put(-1, period)
        del self.periods[:-MOST]

    def starts_of(self, time: Milliseconds) -> Milliseconds | None:
        """Where the remembered period begins that holds a moment; None where there is none."""
        place = self._place(time)
        return None if place is None else self.ends - (len(self.periods) - place) * self.period_ms

    def newest(self, most: int) -> Iterator[Milliseconds]:
        """Where the newest periods begin, the newest first."""
        for ago in range(1, min(most, len(self.periods)) + 1):
            yield self.ends - ago * self.period_ms

    def demand(self, time: Milliseconds) -> int:
        """Demand of the period that holds a moment; 0 where none is remembered."""
        place = self._place(time)
        return 0 if place is None else _written_out(self.periods[place]).demand

    def change(self, time: Milliseconds, units: int) -> None:
        """Correct the demand of the period that holds a moment, not below 0; what is not remembered stays."""
        place, starts = self._place(time), self.starts_of(time)
        if place is None or starts is None:
            return
        period = _written_out(self.periods[place])
        self.before.setdefault(starts, period.demand)
        demand = max(0, period.demand + units)
        self._put(place, msgspec.structs.replace(period, demand=demand, is_open=period.is_open or demand > 0))

    def reach_back(self, time: Milliseconds) -> int:
        """Put periods without demand before the others, back to a moment; answers how many, 0 where that is too far.

        >>> remembered = RememberedDemand(10, 100, [4, 5])
        >>> remembered.reach_back(70), remembered.reach_back(69), remembered.periods, remembered.reach_back(-9999)
        (1, 1, [0, 0, 4, 5], 0)
        """
        wanted = (self.ends - 1 - time) // self.period_ms + 1 if self.periods else 0
        more = wanted - len(self.periods)
        if more <= 0 or wanted > MOST:
            return 0
        self.periods[:0] = [0] * more
        self.unseen += more
        return more

    def tell_lost(self, time: Milliseconds) -> None:
        """Note that the shop reported what it could not serve in the period that holds a moment: nothing is hidden."""
        place = self._place(time)
        if place is not None:
            self._put(place, msgspec.structs.replace(_written_out(self.periods[place]), censored=False))

    def plan(self, plan_of: Callable[[Milliseconds, Milliseconds], Plan]) -> None:
        """Fill in what was planned for the periods that were put before the others."""
        starts = self.ends - len(self.periods) * self.period_ms
        for place in range(self.unseen):
            plan = plan_of(starts, starts + self.period_ms)
            demand = _written_out(self.periods[place]).demand
            self._put(place, RememberedPeriod(demand, False, plan.is_open or demand > 0, plan.promotion))
            starts += self.period_ms
        self.unseen = 0

    def written_out(self) -> Iterator[tuple[Milliseconds, RememberedPeriod]]:
        """Every period with its start, oldest first."""
        starts = self.ends - len(self.periods) * self.period_ms
        for place, period in enumerate(self.periods):
            yield starts + place * self.period_ms, _written_out(period)

    def _put(self, place: int, period: RememberedPeriod) -> None:
        self.periods[place] = period.demand if period.is_ordinary else period

    def _place(self, time: Milliseconds) -> int | None:
        if not self.periods or time >= self.ends:
            return None
        place = len(self.periods) - 1 - (self.ends - 1 - time) // self.period_ms
        return place if place >= 0 else None


encode_remembered = msgspec.msgpack.Encoder().encode
decode_remembered = decoder_of(RememberedDemand, "the remembered demand of an item")


def _written_out(period: int | RememberedPeriod) -> RememberedPeriod:
    return RememberedPeriod(period) if isinstance(period, int) else period
