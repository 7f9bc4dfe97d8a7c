"""The types of values that events are made of, with their bounds, so that parsing finds most faults.

The bounds are annotations, which msgspec checks in C. What an annotation cannot say (no invisible characters in a
name, a moment after the year 2000) is left to `checks.py`.

>>> item("TEA-01", "BER1")
'TEA-01@BER1'
>>> split_item("TEA-01@BER1")
('TEA-01', 'BER1')
>>> money(13.2), amount("13.20 EUR"), currency("13.20 EUR")
('13.20 EUR', 13.2, 'EUR')
>>> instant(1_772_668_800_000), milliseconds(datetime(2026, 3, 5, tzinfo=UTC))
('2026-03-05T00:00:00+00:00', 1772668800000)
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Literal, TypeAlias

from msgspec import Meta

MOST = 1_000_000_000
"""The largest quantity: the sum of a year's orders still fits a 64-bit integer."""

# Integers in the item's base unit. msgspec is strict: no true, no "1", no 1.0.
Quantity: TypeAlias = Annotated[int, Meta(ge=1, le=MOST, description="a positive number of base units")]
Count: TypeAlias = Annotated[int, Meta(ge=0, le=MOST, description="a number of base units, or none")]
Delta: TypeAlias = Annotated[
    int,
    Meta(
        ge=-MOST,
        le=MOST,
        description="a signed number of base units, not 0",
        extra_json_schema={"not": {"const": 0}},
    ),
]

NAME_PATTERN = "^[^@\\u0000-\\u001f\\u007f]+$"
# `extra={"check": …}` names the function of `checks.py` that checks what the annotation cannot say.
Sku: TypeAlias = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=64,
        description="printable characters, no `@`",
        examples=["TEA-01"],
        extra_json_schema={"pattern": NAME_PATTERN},
        extra={"check": "identity"},
    ),
]
Location: TypeAlias = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=64,
        description="printable characters, no `@`",
        examples=["BER1"],
        extra_json_schema={"pattern": NAME_PATTERN},
        extra={"check": "identity"},
    ),
]
Name: TypeAlias = Annotated[str, Meta(min_length=1, max_length=128, description="an identifier or a name")]
Text: TypeAlias = Annotated[str, Meta(max_length=256, description="a short text for people")]

MONEY_PATTERN = r"^[0-9]{1,12}(\.[0-9]{1,6})? [A-Z]{3}$"
# As an annotation the pattern would cost more than the rest of an order line: `checks.py` matches it once per text.
Money: TypeAlias = Annotated[
    str,
    Meta(
        description="a decimal string that is not negative, and a currency",
        examples=["2.10 EUR"],
        extra_json_schema={"pattern": MONEY_PATTERN},
        extra={"check": "money"},
    ),
]

Share: TypeAlias = Annotated[float, Meta(ge=0, le=1, description="a share between 0 and 1")]
Factor: TypeAlias = Annotated[float, Meta(ge=0, le=1000, description="a factor; 1 changes nothing")]
Days: TypeAlias = Annotated[float, Meta(ge=0, le=3650, description="days; fractions are allowed")]
PositiveDays: TypeAlias = Annotated[float, Meta(gt=0, le=3650, description="days above 0; fractions are allowed")]

Moment: TypeAlias = Annotated[
    datetime,
    Meta(
        tz=True,
        description="RFC 3339 with offset, not before 2000",
        examples=["2026-03-02T10:15:00+00:00"],
        extra={"check": "moment"},
    ),
]
Instant: TypeAlias = Annotated[
    str,
    Meta(
        description="RFC 3339 in UTC",
        examples=["2026-03-05T00:00:00+00:00"],
        extra_json_schema={"format": "date-time"},
    ),
]
"""A moment in an output, as text that ends in `+00:00`; msgspec would write `Z`."""

Weekday: TypeAlias = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
CLOSED_DAY_PATTERN = r"^(mon|tue|wed|thu|fri|sat|sun|[0-9]{4}-[0-9]{2}-[0-9]{2})$"
ClosedDay: TypeAlias = Annotated[
    str,
    Meta(
        description="a weekday or an ISO date",
        examples=["sun", "2026-12-25"],
        extra_json_schema={"pattern": CLOSED_DAY_PATTERN},
        extra={"check": "closed_day"},
    ),
]

MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000
"""The length of every day: days are counted in UTC."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def item(sku: str, location: str) -> str:
    """Name a sku at a location."""
    return f"{sku}@{location}"


def split_item(name: str) -> tuple[str, str]:
    """Split an item's name into sku and location; neither holds an `@`."""
    sku, _, location = name.partition("@")
    return sku, location


def money(value: float, code: str = "EUR") -> str:
    """Write an amount with its currency."""
    return f"{value:.2f} {code}"


def amount(value: str) -> float:
    """Read the amount of a money string."""
    return float(value[:-4])


def currency(value: str) -> str:
    """Read the currency of a money string."""
    return value[-3:]


@lru_cache(1024)
def instant(time_ms: int) -> str:
    """Write milliseconds since 1970 as a moment in UTC. The reviews of a day have the same few."""
    return (_EPOCH + timedelta(milliseconds=time_ms)).isoformat()


def milliseconds(moment: datetime) -> int:
    """Milliseconds since 1970 of a moment with an offset, exactly."""
    since = moment - _EPOCH
    return since.days * DAY_MS + since.seconds * 1000 + since.microseconds // 1000
