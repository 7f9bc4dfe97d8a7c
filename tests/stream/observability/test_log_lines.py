"""Log lines: what they say, what they are about, what they keep to themselves, and how often they say it."""

import asyncio
import io
import json
import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, Literal

import msgspec
import pytest

from stream.faults import BrokerDown
from stream.observability.log_fields import about, also
from stream.observability.log_limit import LimitedStream
from stream.observability.log_lines import JsonLines, TextLines
from stream.observability.log_privacy import Redactor
from stream.threads import in_thread

CUSTOMER = "zoe@example.org"
SECRET = "correct-horse"


def logger_of(handler: logging.Handler) -> logging.Logger:
    """A logger that nobody else has."""
    logger = logging.Logger("stream.test", logging.DEBUG)  # noqa: LOG001 - one for each test
    logger.addHandler(handler)
    return logger


class Log:
    """A log of its own: what is logged on `logger`, as lines."""

    def __init__(self) -> None:
        self.now = 0.0
        self.text = io.StringIO()
        self.handler = LimitedStream(self.text, most=3, clock=lambda: self.now)
        self.handler.setFormatter(JsonLines(Redactor([SECRET])))
        self.logger = logger_of(self.handler)

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.getvalue().splitlines()]

    def messages(self) -> list[str]:
        return [line["message"] for line in self.lines()]


@pytest.fixture
def log() -> Iterator[Log]:
    made = Log()
    yield made
    made.handler.close()


def test_a_line_is_one_json_object_in_utc(log: Log) -> None:
    about()
    log.logger.warning("%s answers\nagain", "Kafka")
    [line] = log.lines()
    assert (line["level"], line["logger"], line["message"]) == ("warning", "stream.test", "Kafka answers\nagain")
    assert line["time"].endswith("Z")
    assert len(line["time"]) == len("2026-03-01T10:00:00.000Z")
    assert datetime.fromisoformat(line["time"]).tzinfo is not None
    assert line.keys() == {"time", "level", "logger", "message"}


async def test_a_line_says_what_its_task_is_about(log: Log) -> None:
    async def work(shard: int) -> None:
        about(shard=shard)
        await asyncio.sleep(0)
        log.logger.info("one")
        also(offset=17, item="TEA@B", correlation="")
        with ThreadPoolExecutor(1) as threads:
            await in_thread(threads, log.logger.info, "two")
        about(shard=shard)
        log.logger.info("three", extra={"fields": {"event": "e1", "message": "of no matter"}})

    await asyncio.gather(work(1), work(2))
    lines = {(line["message"], line["shard"]): line for line in log.lines()}
    assert len(lines) == 6
    assert "offset" not in lines["one", 1]
    assert (lines["two", 2]["offset"], lines["two", 2]["item"]) == (17, "TEA@B")
    assert "correlation" not in lines["two", 2]
    assert (lines["three", 1]["event"], "offset" in lines["three", 1]) == ("e1", False)


STUMBLES: dict[str, Callable[[], Any]] = {
    "ValueError": lambda: int(CUSTOMER),
    "KeyError": lambda: dict[str, str]()[CUSTOMER],
    "DecodeError": lambda: msgspec.json.decode(CUSTOMER),
    "ValidationError": lambda: msgspec.convert(CUSTOMER, type=Literal["a", "b"]),
    "LookupError": lambda: reraised(CUSTOMER),
}
"""Errors whose text quotes what they stumbled over."""


def reraised(name: str) -> None:
    try:
        int(name)
    except ValueError as error:
        raise LookupError(f"no such {name}") from error


@pytest.mark.parametrize("kind", STUMBLES)
def test_the_text_of_an_error_that_may_quote_payload_is_not_told(log: Log, kind: str) -> None:
    with pytest.raises(Exception) as stumbled:  # noqa: PT011 - its kind is looked at below
        STUMBLES[kind]()
    error = stumbled.value
    log.logger.error("stumbled over %r, or %s", error, error, exc_info=error)
    log.logger.error(error)
    assert "zoe" not in log.text.getvalue().lower()
    first, second = log.lines()
    assert (first["message"], second["message"]) == (f"stumbled over {kind}, or {kind}", kind)
    assert "STUMBLES[kind]()" in first["exception"]
    assert first["exception"].endswith(kind)
    assert ("ValueError" in first["exception"]) == (kind in {"ValueError", "LookupError"})


def test_errors_of_servers_are_told(log: Log) -> None:
    log.logger.error("%s", BrokerDown("timed out"))
    log.logger.error("%r", ConnectionRefusedError(111, "Connection refused"))
    assert log.messages() == ["timed out", "ConnectionRefusedError(111, 'Connection refused')"]


async def test_what_a_forgotten_task_raised_is_not_told_by_asyncio() -> None:
    said = io.StringIO()
    handler = logging.StreamHandler(said)
    handler.setFormatter(TextLines(Redactor()))
    loop, asyncios = asyncio.get_running_loop(), logging.getLogger("asyncio")
    asyncios.addHandler(handler)
    try:
        failed = loop.create_future()
        failed.set_exception(ValueError(CUSTOMER))
        del failed
    finally:
        asyncios.removeHandler(handler)
    assert "exception was never retrieved" in said.getvalue()
    assert "ValueError" in said.getvalue()
    assert CUSTOMER not in said.getvalue()


@pytest.mark.parametrize("form", [JsonLines, TextLines])
def test_secrets_are_masked_wherever_they_stand(log: Log, form: type[JsonLines | TextLines]) -> None:
    log.handler.setFormatter(form(Redactor([SECRET, "short"])))
    about(topic=SECRET)
    log.logger.error("redis://worker:%s@cache:6379/0, and http://user:pass:word@proxy; %s", "hunter22", SECRET)
    log.logger.error("%s", BrokerDown(f"rediss://:hunter22@cache refuses {SECRET}"))
    log.logger.error("short words stay", exc_info=ConnectionError("https://me:hunter22@collector:4318"))
    said = log.text.getvalue()
    assert not any(word in said for word in ("hunter22", "pass:word", SECRET))
    assert all(word in said for word in ("worker:***@cache:6379/0", "user:***@proxy", "short words", "rediss://:***@"))
    about()


def say(log: Log, times: int, level: int = logging.WARNING) -> None:
    for number in range(times):
        log.logger.log(level, "again %d", number)


def test_a_message_repeats_so_often_a_minute_and_then_its_rest_is_counted(log: Log) -> None:
    say(log, 10)
    log.logger.warning("something else")
    assert log.messages() == ["again 0", "again 1", "again 2", "something else"]
    log.now = 59
    say(log, 1)
    log.now = 60
    say(log, 2)
    assert log.messages()[4:] == ["8 more lines were left out within 60 s: again %d", "again 0", "again 1"]
    assert log.lines()[4]["level"] == "warning"


def test_what_many_shards_say_once_is_no_repetition(log: Log) -> None:
    for shard in range(100):
        about(shard=shard)
        log.logger.info("Took shard %d", shard)
    about()
    assert len(log.lines()) == 100


def test_what_was_left_out_is_counted_though_nothing_follows() -> None:
    written, text = threading.Event(), io.StringIO()

    class Announcing(LimitedStream):
        def flush(self) -> None:
            if "left out" in text.getvalue():
                written.set()

    logger = logger_of(handler := Announcing(text, most=1, seconds=0.05, clock=lambda: 0.0))
    for _ in range(2):  # the second one begins the wait
        logger.info("again")
    assert written.wait(20)
    assert text.getvalue() == "again\n1 more lines were left out within 0.05 s: again\n"
    handler.close()


def test_what_was_left_out_is_counted_when_the_log_is_closed(log: Log) -> None:
    say(log, 5)
    log.handler.close()
    log.handler.close()
    assert log.messages()[3:] == ["2 more lines were left out within 60 s: again %d"]


def test_nothing_is_left_out_of_debugging(log: Log) -> None:
    say(log, 10, logging.DEBUG)
    assert len(log.lines()) == 10


def test_places_with_endlessly_many_messages_are_not_kept(log: Log) -> None:
    for number in range(5_000):
        log.logger.warning(f"written out: {number}")  # noqa: G004 - as some libraries do
    assert len(log.lines()) == 5_000
    assert len(log.handler._minutes) <= 1_000
