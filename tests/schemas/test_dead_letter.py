"""Dead letters keep the original and say why, and can be read back."""

import pytest

from schemas.dead_letter import DeadLetter, Origin, letter_headers
from schemas.refusal import Reason, Refusal

REFUSAL = Refusal(Reason.WRONG_TYPE, "data.lines[0].quantity", "has the wrong type", "send an integer")
ORIGIN = Origin("eu.orders", 3, 17, 1_772_446_500_123)
ORIGINAL = [("content-type", b"application/json"), ("trace", None), ("content-type", b"twice")]


def test_a_letter_is_read_back_as_it_was_written() -> None:
    headers = letter_headers(REFUSAL, stage="intake", origin=ORIGIN, original=ORIGINAL, exception="ValidationError")
    letter = DeadLetter.from_record(b"\xff", b"{", headers)
    assert (letter.key, letter.value, letter.headers) == (b"\xff", b"{", ORIGINAL)
    assert letter.origin == ORIGIN
    assert (letter.reason, letter.stage, letter.exception) == ("wrong_type", "intake", "ValidationError")
    assert letter.message == "data.lines[0].quantity has the wrong type: send an integer"
    assert letter.app_version


def test_the_headers_are_those_promised() -> None:
    names = [name for name, _ in letter_headers(REFUSAL, stage="controller", origin=ORIGIN)]
    promised = ["reason", "stage", "topic", "partition", "offset", "exception", "message", "app-version", "first-seen"]
    assert names == [f"restock.error.{name}" for name in promised]


def test_a_record_refused_again_has_one_set_of_headers() -> None:
    once = letter_headers(REFUSAL, stage="intake", origin=ORIGIN, original=ORIGINAL)
    again = letter_headers(REFUSAL, stage="controller", origin=ORIGIN, original=once)
    assert len(again) == len(once)
    assert DeadLetter.from_record(None, None, again).stage == "controller"


def test_a_message_is_cut_between_characters() -> None:
    long = Refusal(Reason.WRONG_TYPE, "data", "€" * 400, "")
    message = dict(letter_headers(long, stage="intake", origin=ORIGIN))["restock.error.message"]
    assert message is not None
    assert 510 <= len(message) <= 512
    assert message.decode().endswith("€")


def test_a_record_that_is_no_dead_letter_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"restock\.error\.\S+ is missing"):
        DeadLetter.from_record(None, b"", ORIGINAL)


def test_a_reason_of_a_later_version_is_read() -> None:
    headers = [
        (name, b"too_blue" if name.endswith("reason") else value)
        for name, value in letter_headers(REFUSAL, stage="intake", origin=ORIGIN)
    ]
    assert DeadLetter.from_record(None, b"", headers).reason == "too_blue"
