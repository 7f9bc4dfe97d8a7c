"""Marks of dead letters are read back, and nothing else is taken for one."""

import pytest

from schemas.dead_letter import Origin, letter_headers
from schemas.dead_letter_mark import DeadLetterMark
from schemas.envelope import Headers
from schemas.refusal import Reason, Refusal

LETTER = letter_headers(Refusal(Reason.EMPTY, "", "", ""), stage="intake", origin=Origin("orders", 0, 1, 0))
MARK = DeadLetterMark("discarded", "eu.orders", 3, 17, 2)


def test_a_mark_is_read_back_as_it_was_written() -> None:
    assert DeadLetterMark.from_record(MARK.headers()) == MARK
    of_an_event = DeadLetterMark("redriven", "eu.orders", 3, 17)
    assert DeadLetterMark.from_record(of_an_event.headers()) == of_an_event


def test_the_headers_are_those_promised() -> None:
    names = ["state", "topic", "partition", "offset", "ordinal"]
    assert [name for name, _ in MARK.headers()] == [f"restock.mark.{name}" for name in names]


@pytest.mark.parametrize(
    "headers",
    [
        None,
        [],
        LETTER,
        MARK.headers()[:-1],
        [("restock.mark.state", b"eaten"), *MARK.headers()[1:]],
        [*MARK.headers()[:-1], ("restock.mark.ordinal", b"x")],
        [*MARK.headers(), ("restock.mark.topic", b"\xff")],
    ],
)
def test_a_record_that_is_no_mark_is_none(headers: Headers) -> None:
    assert DeadLetterMark.from_record(headers) is None
