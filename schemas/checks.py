r"""Checks what annotations cannot say about an event's data: readable names, one currency, fields that agree.

A struct's annotations name their checks (`Meta(extra={"check": …})`); which field needs which check is worked out
once, at import. Texts that passed are remembered, because a shop's lines repeat the same few thousand.

>>> visible("TEA-01"), visible("TEA\u200b01"), visible("TEA@01")
(True, False, False)
"""

import re
from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import Any, NamedTuple, get_args

import msgspec

from schemas.inbound import (
    INBOUND,
    Inbound,
    Line,
    OrderLine,
    PromotionScheduled,
    StockAdjusted,
    StockCounted,
    StockTransferred,
)
from schemas.quantities import CLOSED_DAY_PATTERN, DAY_MS, MONEY_PATTERN, milliseconds
from schemas.refusal import Reason, Refusal

EARLIEST_MS = 946_684_800_000
"""2000-01-01: an earlier time comes from a clock that was never set."""

_REMEMBERED = 200_000
"""How many texts are remembered before all are forgotten: it bounds memory when a producer invents names."""

# Printable for Python, but not to be seen: joiners, fillers, vowel carriers, variation selectors, the blank of braille.
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_MONEY = re.compile(MONEY_PATTERN)
_CLOSED_DAY = re.compile(CLOSED_DAY_PATTERN)


_visible: set[str] = set()
_currency_of: dict[str, str] = {}


def visible(text: str) -> bool:
    """Whether a sku or location can be read: printable, no `@`, no invisible characters, not only spaces."""
    if text in _visible:
        return True
    if "@" in text or not text.isprintable() or not text.strip() or not (text.isascii() or not _UNSEEN.search(text)):
        return False
    if len(_visible) >= _REMEMBERED:
        _visible.clear()
    _visible.add(text)
    return True


def _identity(text: str, _currency: str) -> Refusal | None:
    if visible(text):
        return None
    return Refusal(
        Reason.BAD_IDENTITY,
        "",
        "holds `@`, or a control or invisible character, or nothing but spaces",
        "use 1 to 64 visible characters without `@`",
    )


def _money(text: str, currency: str) -> Refusal | None:
    own = _currency_of.get(text)
    if own is None:
        if not _MONEY.fullmatch(text):
            negative = text.startswith("-")
            return Refusal(
                Reason.OUT_OF_RANGE if negative else Reason.WRONG_TYPE,
                "",
                "is negative" if negative else "is not an amount of money",
                'write a decimal and a currency, such as "2.10 EUR"',
            )
        if len(_currency_of) >= _REMEMBERED:
            _currency_of.clear()
        own = _currency_of[text] = text[-3:]
    if own == currency:
        return None
    return Refusal(
        Reason.OUT_OF_RANGE,
        "",
        f"is not in {currency}, the one currency of this system",
        f"convert it to {currency}",
    )


def _moment(moment: datetime, _currency: str) -> Refusal | None:
    if milliseconds(moment) >= EARLIEST_MS:
        return None
    return Refusal(Reason.BAD_TIME, "", "lies before 2000", "correct the clock or the unit the time was computed in")


def _closed_day(text: str, _currency: str) -> Refusal | None:
    if _CLOSED_DAY.fullmatch(text) and (text.isalpha() or _is_date(text)):
        return None
    return Refusal(
        Reason.OUT_OF_RANGE, "", "is neither a weekday nor a date", 'write "sun" or an ISO date such as "2026-12-25"'
    )


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


Check = Callable[[Any, str], Refusal | None]
_CHECKS: dict[str, Check] = {
    "identity": _identity,
    "money": _money,
    "moment": _moment,
    "closed_day": _closed_day,
}


class FieldCheck(NamedTuple):
    """A field and the check of its value, or of each of its elements."""

    attribute: str
    name: str
    check: Check
    many: bool


def _checks_within(annotation: Any) -> Iterator[tuple[Check, bool]]:
    """The checks an annotation names, and whether they apply to the elements of a tuple."""
    for meta in getattr(annotation, "__metadata__", ()):
        if meta.extra:
            yield _CHECKS[meta.extra["check"]], False
    for part in get_args(annotation):
        inside_tuple = getattr(annotation, "__origin__", None) is tuple
        yield from ((check, many or inside_tuple) for check, many in _checks_within(part))


def _checks_of(struct: type[Inbound]) -> tuple[FieldCheck, ...]:
    return tuple(
        FieldCheck(each.name, each.encode_name, check, many)
        for each in msgspec.structs.fields(struct)
        for check, many in _checks_within(each.type)
    )


# No event with lines has anything else to check.
_WITH_LINES = {kind.data for kind in INBOUND.values() if "lines" in kind.data.__struct_fields__}
_STRUCTS: tuple[type[Inbound], ...] = (*(kind.data for kind in INBOUND.values()), Line, OrderLine)
_FIELD_CHECKS = {struct: _checks_of(struct) for struct in _STRUCTS}


def find_fault(data: Inbound, currency: str, appended_ms: int) -> Refusal | None:
    """The first fault of an event's data that its annotations could not find, or None."""
    struct = type(data)
    if struct in _WITH_LINES:
        return _fault_in_lines(data.lines, currency)  # type: ignore[attr-defined]
    return _fault_in_fields(data, currency, "data") or _fault_between_fields(data, appended_ms)


def _fault_in_fields(struct: Inbound, currency: str, path: str) -> Refusal | None:
    for attribute, name, check, many in _FIELD_CHECKS[type(struct)]:
        value = getattr(struct, attribute)
        if value is None or value is msgspec.UNSET:
            continue
        for place, one in enumerate(value) if many else ((None, value),):
            fault = check(one, currency)
            if fault is not None:
                where = f"{path}.{name}" if place is None else f"{path}.{name}[{place}]"
                return msgspec.structs.replace(fault, field=where)
    return None


def _fault_in_lines(lines: tuple[Line, ...], currency: str) -> Refusal | None:
    for place, line in enumerate(lines):
        # The hot path: a line of a known item at a known price makes no call here.
        if line.sku in _visible and line.location in _visible:
            if type(line) is Line:
                continue
            price = line.unit_price  # type: ignore[attr-defined]
            if price is None or _currency_of.get(price) == currency:
                continue
        fault = _fault_in_fields(line, currency, f"data.lines[{place}]")
        if fault is not None:
            return fault
    if len(lines) > 1 and len({line.line_id for line in lines}) < len(lines):
        return _repeated_line(lines)
    return None


def _repeated_line(lines: tuple[Line, ...]) -> Refusal | None:
    seen: set[str] = set()
    for place, line in enumerate(lines):
        if line.line_id in seen:
            return Refusal(
                Reason.OUT_OF_RANGE,
                f"data.lines[{place}].line_id",
                "an earlier line has the same line_id",
                "give every line of an event its own line_id",
            )
        seen.add(line.line_id)
    return None


def _fault_between_fields(data: Inbound, appended_ms: int) -> Refusal | None:
    match data:
        case StockAdjusted(delta=0):
            return Refusal(
                Reason.OUT_OF_RANGE, "data.delta", "is 0 and adjusts nothing", "send a difference, or nothing"
            )
        case StockTransferred(source=source, destination=destination) if source == destination:
            return Refusal(
                Reason.OUT_OF_RANGE, "data.to", "is the location the goods come from", "name two different locations"
            )
        case PromotionScheduled(starts=starts, ends=ends) if ends < starts:
            return Refusal(Reason.OUT_OF_RANGE, "data.ends", "lies before `data.starts`", "swap or correct the two")
        case StockCounted(as_of=as_of) if 0 < appended_ms < milliseconds(as_of) - DAY_MS:
            return Refusal(
                Reason.TIME_TOO_FAR,
                "data.as_of",
                "lies more than a day in the future",
                "send the moment at which somebody counted",
            )
        case _:
            return None
