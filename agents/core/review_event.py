"""The event of a review: everything needed to understand it without asking another system."""

from agents.core.cause import broken_down
from agents.core.learning_state import LearningState
from agents.core.review import Review
from agents.forecasting.base import LEVELS, DemandForecast
from agents.forecasting.simple.ewma import gamma_quantiles
from agents.inventory.card import Card
from agents.inventory.position import available
from schemas import outbound
from schemas.journal import Decided
from schemas.ledger import FoldSettings
from schemas.outbound import CostLedger, Decision, ItemReviewed, Kpis
from schemas.quantities import DAY_MS, instant, money, split_item

_SHARES = tuple(f"{level:g}" for level in LEVELS)


def interval_forecast(forecast: DemandForecast, period_days: float) -> outbound.Forecast:
    """A forecast of the protection interval."""
    return outbound.Forecast(
        mean=forecast.mean, quantiles=_by_share(forecast.quantiles), horizon_days=forecast.horizon * period_days
    )


def first_period(forecast: DemandForecast | None) -> outbound.Forecast:
    """The first period of a forecast of an interval, whose spread is shared out evenly.

    >>> first_period(DemandForecast(4, 40.0, 40.0, (0.0,) * 5, (10.0,) * 4)).quantiles["0.95"]
    15.7...
    """
    mean = forecast.path[0] if forecast and forecast.path else 0.0
    variance = forecast.variance / len(forecast.path) if forecast and forecast.path else 0.0
    return outbound.Forecast(mean=mean, quantiles=_by_share(gamma_quantiles(mean, variance)))


def review_event(
    card: Card,
    learning_state: LearningState,
    review: Review,
    decision: Decision,
    decided: Decided | None,
    cost: CostLedger,
    settings: FoldSettings,
    *,
    drift: bool,
) -> ItemReviewed:
    """The event of a review."""
    item, closed, figures = card.item, review.closed, learning_state.record.figures
    sku, location = split_item(card.name)
    return ItemReviewed(
        sku=sku,
        location=location,
        period=outbound.Period(starts=instant(closed.starts), ends=instant(closed.ends)),
        demand=closed.bucket.demand + closed.bucket.late,
        censored=closed.censored,
        forecast=first_period(review.expected),
        errors=learning_state.record.accuracy.errors(),
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
        policy=learning_state.record.policy,
        position=broken_down(item),
        late_demand=closed.bucket.late,
        drift=drift,
    )


def _by_share(quantiles: tuple[float, ...]) -> dict[str, float]:
    return dict(zip(_SHARES, quantiles, strict=True))
