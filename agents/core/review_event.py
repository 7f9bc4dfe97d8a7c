"""What a review says of itself: everything needed to understand it without asking another system."""

from collections.abc import Mapping

from agents.core.cause import broken_down
from agents.core.learning_state import LearningState
from agents.forecasting.base import LEVELS, DemandForecast
from agents.forecasting.simple.ewma import gamma_quantiles
from agents.inventory.card import Card
from agents.inventory.periods import Closed
from agents.inventory.position import available
from agents.policies.base import Policy
from agents.policies.contest.contest import Contest
from schemas import outbound
from schemas.journal import Decided
from schemas.ledger import FoldSettings
from schemas.outbound import CostLedger, Decision, ItemReviewed, Kpis
from schemas.quantities import DAY_MS, instant, money, split_item


def told_forecast(forecast: DemandForecast, period_days: float) -> outbound.Forecast:
    """A forecast of the protection interval."""
    return outbound.Forecast(
        mean=forecast.mean, quantiles=_by_share(forecast.quantiles), horizon_days=forecast.horizon * period_days
    )


def first_period(forecast: DemandForecast | None) -> outbound.Forecast:
    """What a forecast of an interval said of its first period, its spread shared out evenly.

    >>> first_period(DemandForecast(4, 40.0, 40.0, (0.0,) * 5, (10.0,) * 4)).quantiles["0.95"]
    15.7...
    """
    mean = forecast.path[0] if forecast and forecast.path else 0.0
    variance = forecast.variance / len(forecast.path) if forecast and forecast.path else 0.0
    return outbound.Forecast(mean=mean, quantiles=_by_share(gamma_quantiles(mean, variance)))


def review_of(
    card: Card,
    mind: LearningState,
    closed: Closed,
    expected: DemandForecast | None,
    decision: Decision,
    decided: Decided | None,
    cost: CostLedger,
    settings: FoldSettings,
) -> ItemReviewed:
    """The event that tells of a review."""
    item, figures = card.item, mind.record.figures
    sku, location = split_item(card.name)
    return ItemReviewed(
        sku=sku,
        location=location,
        period=outbound.Period(starts=instant(closed.starts), ends=instant(closed.ends)),
        demand=closed.bucket.demand,
        censored=closed.censored,
        forecast=first_period(expected),
        errors=mind.record.accuracy.errors(),
        decision=decision,
        replenishment_id=decided.replenishment if decided else None,
        cost=cost,
        kpis=Kpis(
            turnover=figures.turnover(settings.period_ms / DAY_MS),
            days_of_supply=max(0, available(item)) / item.daily if item.daily > 0.0 else None,
            holding_cost=money(figures.holding_cost, settings.currency),
            stock_out_rate=figures.stock_out_rate,
            fill_rate=figures.fill_rate,
        ),
        policy=mind.record.policy,
        position=broken_down(item),
        late_demand=closed.bucket.late,
    )


def cost_ledger(contestants: Mapping[str, float], own: float, currency: str) -> CostLedger:
    """What champion, baseline and challengers have cost; without a contest there is only its own to tell."""
    costs = dict(contestants)
    own = costs.pop("champion", own)
    beside = costs.pop("baseline", own)
    return CostLedger(
        champion=money(own, currency),
        baseline=money(beside, currency),
        challengers={name: money(cost, currency) for name, cost in sorted(costs.items())},
    )


def contest_costs(mind: LearningState, champion: Policy, baseline: str) -> Mapping[str, float]:
    """What champion, baseline and challengers, by name, have cost so far; nothing where there is no contest."""
    if not isinstance(champion, Contest):
        return {}
    roles = {champion.name: "champion", baseline: "baseline"}
    return {roles.get(name, name): cost for name, cost in champion.costs(mind.peek(champion)).items()}


def _by_share(quantiles: tuple[float, ...]) -> dict[str, float]:
    return {f"{level:g}": quantile for level, quantile in zip(LEVELS, quantiles, strict=True)}
