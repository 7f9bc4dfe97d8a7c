"""Outputs as restock publishes them: alerts that begin and end, proposals."""

from schemas.outbound import (
    AlertKind,
    AlertState,
    Forecast,
    OutputEvent,
    Position,
    ReplenishmentProposed,
    ReplenishmentRequested,
    Severity,
    StockAlert,
    Why,
)
from schemas.quantities import instant, split_item


def alert(
    item: str,
    state: AlertState = "raised",
    severity: Severity = "warning",
    *,
    kind: AlertKind = "low_stock",
    episode: str | None = None,
    time_ms: int = 0,
) -> OutputEvent:
    sku, location = split_item(item)
    episode = episode or f"eps-{item}-{kind}"
    body = StockAlert(
        alert_id=f"alr-{episode}-{state}",
        episode=episode,
        sku=sku,
        location=location,
        kind=kind,
        state=state,
        severity=severity,
        on_hand=3,
        threshold=10.0,
        days_of_supply=1.5,
        projected_stock_out_at=instant(time_ms + 86_400_000),
        on_order=40,
        next_receipt_at=instant(time_ms + 2 * 86_400_000),
        runbook=f"docs/runbooks/{kind.title().replace('_', '')}.md",
        available=3,
    )
    return OutputEvent(id=body.alert_id, time_ms=time_ms, body=body)


def proposal(
    item: str, name: str, *, requested: bool = False, asks: tuple[str, ...] = (), time_ms: int = 0
) -> OutputEvent:
    sku, location = split_item(item)
    kind: type[ReplenishmentRequested | ReplenishmentProposed] = (
        ReplenishmentRequested if requested else ReplenishmentProposed
    )
    why = Why(
        policy="pil",
        version=1,
        role="champion",
        position=Position(on_hand=3, allocated=0, backorders=0, on_order=0),
        forecast=Forecast(mean=4.0, quantiles={"0.5": 4.0}),
        reorder_point=10,
        order_up_to=40,
        safety_stock=5,
        baseline_quantity=40,
        clamped_by=(),
        expected_cost=None,
        asks=asks,
    )
    body = kind(
        replenishment_id=name,
        sku=sku,
        location=location,
        quantity=40,
        kind="purchase",
        need_by=instant(time_ms + 86_400_000),
        why=why,
        supplier="acme",
    )
    return OutputEvent(id=f"{name}-{'req' if requested else 'pro'}", time_ms=time_ms, body=body)
