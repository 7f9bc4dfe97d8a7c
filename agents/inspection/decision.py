"""Why a replenishment was ordered: what the journal keeps of the decision, and the ledger of its cause, in plain words.

>>> Name.of("rep-k3f9-4-181223-0")
Name(ledger='k3f9', partition=4, point=Point(offset=181223, step=0))
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple, Self

import msgspec

from agents.inspection.item import decision_as_json
from agents.inspection.wording import on, parts
from schemas.journal import Decided, Point
from schemas.ledger import Movement, Record, Ticked
from schemas.outbound import Why
from schemas.quantities import instant

_ASKS = {
    "ask_above_units": "it is for more units than the limit `ask_above_units`",
    "ask_above_value": "it costs more than the limit `ask_above_value`",
    "beyond_facts": "nothing that happened so far explains these units",
}
"""Why a person is asked, in words."""


class Name(NamedTuple):
    """A replenishment's id, taken apart: the place in the ledger that caused it."""

    ledger: str
    partition: int
    point: Point

    @classmethod
    def of(cls, replenishment_id: str) -> Self | None:
        """None for what is no id of ours."""
        match = re.fullmatch(r"rep-([0-9a-z]{1,12})-(\d{1,5})-(\d{1,18})-(\d{1,9})", replenishment_id)
        return cls(match[1], int(match[2]), Point(int(match[3]), int(match[4]))) if match else None


class Found(NamedTuple):
    """A decision with its surroundings."""

    decided: Decided
    cause: Record | None
    """The ledger record it followed; None where retention has cut it off."""
    appended_ms: int | None
    now: dict[str, Any] | None
    """The order as it is in the state, None when it is closed."""
    version: str
    """Of the code that decided."""


def as_json(found: Found) -> dict[str, Any]:
    """The decision for programs, as JSON."""
    decided, baseline = found.decided, found.decided.why.baseline_quantity
    return {
        "item": decided.item,
        **decision_as_json(decided),
        "counterfactual": {"baseline_quantity": baseline, "difference": decided.quantity - baseline},
        "cause": _cause(found),
        "status": found.now["status"] if found.now else "closed",
        "version": found.version,
    }


def sentences(found: Found) -> Iterator[str]:
    """The decision for a buyer, in sentences."""
    decided, why = found.decided, found.decided.why
    verb = "was proposed" if decided.proposed else "was ordered"
    supplier = f" from {decided.supplier}" if decided.supplier else ""
    yield (
        f"{decided.quantity} of {decided.item} {verb}{supplier} on {on(decided.decided_at)}, "
        f"needed by {on(decided.need_by)}."
    )
    yield _trigger(found)
    yield f"The position was {parts(why.position)}."
    yield _expectation(why)
    aim = f" for a service level of {why.service_level:.1%}" if why.service_level is not None else ""
    yield (
        f"The policy {why.policy} orders when the position is at {why.reorder_point} or below, up to "
        f"{why.order_up_to}; safety stock is {why.safety_stock}{aim}."
    )
    if why.clamped_by:
        yield f"The quantity was then adjusted by: {', '.join(part.replace('_', ' ') for part in why.clamped_by)}."
    if why.asks:
        yield f"A person is asked, since {' and '.join(_ASKS.get(reason, reason) for reason in why.asks)}."
    yield _counterfactual(decided)
    if why.expected_cost is not None:
        yield f"Expected cost until the next order can arrive: {why.expected_cost}."
    yield _standing(found)


def _trigger(found: Found) -> str:
    cause, trigger = found.cause, found.decided.why.trigger
    if isinstance(cause, Movement):
        what = type(cause.change).__name__.lower()
        return (
            f"The position had fallen to the reorder point: the last event was {cause.id} of {cause.source} "
            f"({what}, {instant(cause.time)})."
        )
    if trigger == "reorder_point":
        return "The position had fallen to the reorder point, because an open order was given up for lost."
    return "A period had closed, and this was its review."


def _expectation(why: Why) -> str:
    forecast = why.forecast
    days = f" in {round(forecast.horizon_days, 1):g} days" if forecast.horizon_days else ""
    lead = f" (lead time {why.lead_time_days:g} days, then until the next review)" if why.lead_time_days else ""
    level = max(forecast.quantiles, key=float, default=None)
    tail = f"; with {float(level):.0%} certainty not above {forecast.quantiles[level]:.1f}" if level else ""
    return f"Expected demand was {forecast.mean:.1f}{days}{lead}{tail}."


def _counterfactual(decided: Decided) -> str:
    baseline = decided.why.baseline_quantity
    if decided.why.role == "baseline":
        return "The champion had no answer, so the baseline decided."
    if baseline == decided.quantity:
        return "The baseline policy would have ordered the same."
    more = decided.quantity - baseline
    return f"The baseline policy would have ordered {baseline}: {abs(more)} {'less' if more > 0 else 'more'}."


def _standing(found: Found) -> str:
    if found.now is None:
        return "It is closed: received, declined or cancelled."
    return "It is {status} now: {received} of {quantity} received, due {due}.".format(**found.now)


def _cause(found: Found) -> dict[str, Any]:
    appended = found.appended_ms and instant(found.appended_ms)
    shown: dict[str, Any] = {"kind": "unknown", "offset": found.decided.at.offset, "appended": appended}
    cause = found.cause
    if isinstance(cause, Movement):
        change = {"change": type(cause.change).__name__, **msgspec.structs.asdict(cause.change)}
        return shown | {"kind": "event", "source": cause.source, "id": cause.id, "time": instant(cause.time), **change}
    if isinstance(cause, Ticked):
        return shown | {"kind": "review" if found.decided.why.trigger == "review" else "deadline"}
    return shown
