"""Waiting for a server: growing pauses, one warning, one line when it answers; other faults are not waited out."""

import asyncio
import logging

import pytest

from stream import retry
from stream.faults import BrokerDown, Fenced, StoreDown


class Server:
    """Fails a number of times, then answers."""

    def __init__(self, *faults: Exception) -> None:
        self.faults = list(faults)

    async def ask(self) -> str:
        if self.faults:
            raise self.faults.pop(0)
        return "answer"


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    taken: list[float] = []

    real_sleep = asyncio.sleep

    async def sleep(seconds: float) -> None:
        taken.append(seconds)
        await real_sleep(0)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    return taken


async def test_a_server_that_answers_is_asked_once(pauses: list[float], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    assert await retry.until_answered(Server().ask) == "answer"
    assert (pauses, caplog.messages) == ([], [])


@pytest.mark.parametrize("fault, name", [(StoreDown("timed out"), "Redis"), (BrokerDown("timed out"), "Kafka")])
async def test_a_retry_waits_ever_longer_and_logs_it_once(
    fault: Exception, name: str, pauses: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    assert await retry.until_answered(Server(*[fault] * 20).ask) == "answer"
    assert caplog.messages == [f"{name} does not answer (timed out); waiting for it", f"{name} answers again"]
    assert len(pauses) == 20
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (retry.FIRST_SECONDS, retry.LONGEST_SECONDS)


@pytest.mark.parametrize("fault", [Fenced("gone"), ValueError("bug")])
async def test_a_retry_does_not_wait_out_other_faults(fault: Exception, pauses: list[float]) -> None:
    with pytest.raises(type(fault)):
        await retry.until_answered(Server(fault).ask)
    assert pauses == []


async def test_many_waits_for_one_server_are_logged_once(pauses: list[float], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    server = Server(*[StoreDown("away")] * 10)
    assert await asyncio.gather(*(retry.until_answered(server.ask) for _ in range(4))) == ["answer"] * 4
    assert retry.waited_for() == ""
    assert caplog.messages == ["Redis does not answer (away); waiting for it", "Redis answers again"]


async def test_a_retry_can_be_given_up_and_the_next_outage_is_logged_again(caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(2):
        waiting = asyncio.create_task(retry.until_answered(Server(*[StoreDown("away")] * 99).ask))
        await asyncio.sleep(0)
        assert retry.waited_for() == "Redis is waited for: away"
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    assert caplog.messages == ["Redis does not answer (away); waiting for it"] * 2
