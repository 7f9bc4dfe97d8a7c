"""Money, moments, items as text and back."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.checks import visible
from schemas.quantities import amount, currency, instant, item, milliseconds, money, split_item


@given(st.integers(min_value=0, max_value=253_402_300_799_999))
def test_moments_are_exact_to_the_millisecond(time_ms: int) -> None:
    assert milliseconds(datetime.fromisoformat(instant(time_ms))) == time_ms
    assert instant(time_ms).endswith("+00:00")


@given(st.datetimes(timezones=st.integers(-23, 23).map(lambda hours: timezone(timedelta(hours=hours)))))
def test_any_moment_has_milliseconds(moment: datetime) -> None:
    assert datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds(moment)) <= moment


@pytest.mark.parametrize("value, text", [(0, "0.00 EUR"), (13.2, "13.20 EUR"), (1e9, "1000000000.00 EUR")])
def test_money_is_written_and_read_back(value: float, text: str) -> None:
    assert money(value) == text
    assert amount(text) == value
    assert currency(money(value, "SEK")) == "SEK"


PRINTED = st.characters(exclude_categories=("C", "Z"), include_characters=" ", exclude_characters="@")
NAMES = st.text(PRINTED, min_size=1).filter(visible)


@given(NAMES, NAMES)
def test_an_items_name_is_split_into_sku_and_location(sku: str, location: str) -> None:
    assert split_item(item(sku, location)) == (sku, location)


def test_a_text_that_was_judged_before_is_judged_the_same_again() -> None:
    for _ in range(2):
        assert visible("Grüner Tee")
        assert not visible("Grüner\u200bTee")
