"""Reading single cells, with the contract's reason when one cannot be read.

>>> whole("12.0", "quantity"), price("4,90", "EUR")
(12, '4.90 EUR')
"""

import re
from datetime import datetime
from decimal import Decimal, InvalidOperation

from agents.imports.table import CsvRow, Times
from schemas.refusal import Reason
from stream.errors import WrongUse


class Unreadable(Exception):
    """A cell, or the lack of one."""

    def __init__(self, reason: Reason, text: str) -> None:
        super().__init__(text)
        self.reason = reason


def needed(row: CsvRow, field: str, otherwise: str | None = None) -> str:
    """A cell that must be there."""
    value = row.values.get(field, otherwise)
    if value is None:
        raise Unreadable(Reason.MISSING_FIELD, f"{field} is empty")
    return value


def whole(value: str, field: str) -> int:
    """A whole number, also as spreadsheets write it."""
    number = _decimal(value, field)
    if number != number.to_integral_value():
        raise Unreadable(Reason.WRONG_TYPE, f"{field} {value} is not a whole number")
    return int(number)


def price(value: str, currency: str) -> str:
    """Money as the contract writes it; a bare number is of the system's currency."""
    number, _, written = value.partition(" ")
    if re.fullmatch(r"\d{1,3},\d{3}", number):
        raise Unreadable(Reason.WRONG_TYPE, f"price {number} is a thousand to some: write it with a point, or without")
    amount = _decimal(number.replace(",", "") if "." in number else number.replace(",", "."), "price")
    return f"{amount:f} {written or currency}"


def moment(row: CsvRow, times: Times, field: str = "time") -> datetime:
    """A moment with an offset, that has been."""
    value = needed(row, field)
    try:
        read = times.read(value)
    except ValueError:
        raise Unreadable(Reason.BAD_TIME, f"{field} {value} cannot be read: see --time-format") from None
    if times.lies_ahead(read):
        raise Unreadable(Reason.TIME_TOO_FAR, f"{field} {value} is yet to come: mend it, or see --timezone")
    return read


def location_of(row: CsvRow, fallback: str | None) -> str:
    """The row's location, else the one of `--location`."""
    value = row.values.get("location", fallback)
    if value is None:
        raise WrongUse(f"row {row.number} has no location: map a column to it, or give --location for all rows")
    return value


def _decimal(value: str, field: str) -> Decimal:
    try:
        number = Decimal(value)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or number.adjusted() > 12:
        raise Unreadable(Reason.WRONG_TYPE, f"{field} {value[:40]} is not a number")
    return number
