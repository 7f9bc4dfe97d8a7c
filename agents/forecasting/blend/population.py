"""What the items of a shard have in common: their usual level, what a promotion does, and how demand moves lately.

Levels and uplifts are geometric means over items, one vote each, changed in place: an item keeps what it voted, so
that its next vote replaces the last. The movement of demand is computed from the shard's totals of past periods. The
period under way does not count, or an item's forecast would depend on its place in the queue.
"""

from math import exp, log

import msgspec

from agents.forecasting.slips import FirstSales

_PRIOR, _PRIOR_UNITS = 3.0, 3.0
"""Pseudo-observations of the shard's level in an item's, and the demand that they are worth at most.

So an item that sells nothing beside others that sell much is soon taken for what it is."""
_UPLIFT_AFTER = 3.0
_UPLIFT_PRIOR = 4.0
_PLAN_RATE = 0.001
_MOST_PLAN = 2.0


class Votes(msgspec.Struct, array_like=True):
    """The last votes of an item."""

    level: float | None = None
    uplift: float | None = None


class Population(msgspec.Struct, array_like=True):
    """Sums of votes, and the mean demand of the last periods."""

    log_levels: float = 0.0
    levels: int = 0
    log_uplifts: float = 0.0
    uplifts: int = 0
    period: int = -(1 << 62)
    """When the period underway began."""
    demand: float = 0.0
    items: int = 0
    means: list[float] = []
    """Mean demand of an item in past periods, oldest first."""
    movement: float = 0.0
    """Log of the last season's mean over the longer trend's."""
    usual_plan: float = 0.0
    """Mean level of promotion where there is one."""
    plans: int = 0
    first_sales: FirstSales = msgspec.field(default_factory=FirstSales)

    @property
    def level(self) -> float:
        """Usual demand of an item a period; 1 while nobody knows."""
        return exp(self.log_levels / self.levels) if self.levels else 1.0

    @property
    def uplift(self) -> float:
        """What a promotion usually multiplies demand by."""
        return exp(self.log_uplifts / self.uplifts) if self.uplifts else 1.0

    def scale(self, total: float, periods: int) -> float:
        """An item's scale: m + √m, m its mean shrunk to the shard's.

        >>> Population().scale(0.0, 0), round(Population().scale(100.0, 25), 2)
        (2.0, 5.6)
        """
        prior = min(_PRIOR, _PRIOR_UNITS / self.level)
        mean = (total + prior * self.level) / (periods + prior)
        return float(mean + mean**0.5)

    def see_plan(self, level: float) -> None:
        """Count a level of promotion."""
        if level > 0.0:
            self.plans += 1
            self.usual_plan += max(_PLAN_RATE, 1.0 / self.plans) * (level - self.usual_plan)

    def relative(self, level: float) -> float:
        """A level of promotion by the usual one, so that 30 % off is as good a sign as 1 for "promoted".

        >>> half = Population(usual_plan=0.5, plans=9)
        >>> half.relative(0.0), half.relative(0.5), half.relative(0.25), Population().relative(0.3)
        (0.0, 1.0, 0.5, 1.0)
        """
        if not level > 0.0:
            return 0.0
        return min(min(level, 1.0) / self.usual_plan, _MOST_PLAN) if self.plans else 1.0

    def lifted(self, lifted: float, base: float, promoted: float) -> float:
        """An item's demand under promotion, shrunk to its base times the shard's uplift while it knows little."""
        return (promoted * lifted + _UPLIFT_PRIOR * base * self.uplift) / (promoted + _UPLIFT_PRIOR)

    def vote_level(self, votes: Votes, total: float, periods: int, after: int) -> None:
        """Count an item's mean demand, after so many periods."""
        if periods < after or total <= 0.0:
            return
        vote = log(total / periods)
        self.log_levels += vote - (votes.level or 0.0)
        self.levels += votes.level is None
        votes.level = vote

    def vote_uplift(self, votes: Votes, lifted: float, base: float, promoted: float) -> None:
        """Count what a promotion did to an item."""
        if promoted <= _UPLIFT_AFTER:
            return
        vote = log((lifted + 0.1) / (base + 0.1))
        self.log_uplifts += vote - (votes.uplift or 0.0)
        self.uplifts += votes.uplift is None
        votes.uplift = vote

    def see(self, starts: int, demand: float, season: int, trend: int) -> None:
        """Count an item's period; a later one than all so far closes those before it."""
        if starts > self.period:
            if self.items:
                self.means.append(self.demand / self.items)
                del self.means[:-trend]
                last = self.means[-season:]
                lately, long = sum(last) / len(last), sum(self.means) / len(self.means)
                self.movement = log((lately + 1e-3) / (long + 1e-3))
            self.period, self.demand, self.items = starts, 0.0, 0
        if starts == self.period:
            self.demand += demand
            self.items += 1
