"""What acts, and how a planner takes over: `restock policies` and `restock policy`, on a system that has worked."""

import json
from datetime import UTC, datetime

import pytest

from agents.cli.policy import event, terms_for
from schemas.codec import Event, Limits, decode
from schemas.envelope import STRUCTURED_HEADERS
from schemas.inbound import ItemConfigured
from stream.kafka.topic_reader import TopicReader
from stream.settings import Settings
from tests.agents.cli.conftest import Run
from tests.agents.cli.test_reading import MUG, TEA, _here, settings

__all__ = ["_here", "settings"]
NOW = datetime(2026, 3, 28, tzinfo=UTC)


@pytest.mark.parametrize("verb", ["set", "unset", "freeze", "unfreeze", "approve", "act"])
def test_what_is_said_is_a_valid_event(verb: str) -> None:
    said = event(TEA, terms_for(verb, "pil", {"reorder_point": -1, "order_up_to": 0}), "1", NOW)
    verdict = decode("catalog", said, STRUCTURED_HEADERS, int(NOW.timestamp() * 1000), Limits())
    assert isinstance(verdict, Event)
    assert isinstance(verdict.data, ItemConfigured)


def test_policies_say_who_acts_and_what_it_saved(restock: Run, settings: Settings) -> None:
    exit_code, out, err = restock("policies", "--items", "--json")
    assert (exit_code, err) == (0, "")
    rows = {row["item"]: row for row in json.loads(out)}
    assert rows.keys() == {TEA, MUG}
    assert rows[TEA]["policy"] == "pil-q"
    assert rows[TEA]["costs"].keys() == {"pil-q", "pil", "base-stock", "capped-base-stock", "one-point-two"}
    assert rows[TEA]["costs"]["pil"] > 0.0
    assert sum(row["items"] for row in json.loads(restock("policies", "--json")[1])) == 2
    assert restock("policies", "--class", "A", "--items")[1].splitlines()[1].split("\t")[:2] == [TEA, "pil-q"]
    assert json.loads(restock("policies", "--class", "B", "--json")[1]) == []


def test_a_planner_takes_over(restock: Run, settings: Settings) -> None:
    levels = json.loads(restock("item", TEA, "--json")[1])["levels"]
    exit_code, out, err = restock("policy", "freeze", TEA)
    assert (exit_code, err) == (0, "")
    assert out == (
        f"{TEA}: policy min-max, reorder_point {levels['reorder_point']}, order_up_to {levels['order_up_to']}, "
        "from its next review on\n"
    )
    assert restock("policy", "set", TEA, "base-stock")[0] == 0
    name = settings.topic("catalog")
    with TopicReader(settings) as reader:
        events = [json.loads(message.value() or b"")["data"] for message in reader.read(name, reader.bounds(name))]
    of_tea = [data for data in events if data.get("sku") == TEA.partition("@")[0]]  # one partition, so in order
    assert of_tea[-1]["policy"] == "base-stock"


def test_wrong_use_is_reported_in_one_line(restock: Run) -> None:
    assert restock("policy", "set", TEA, "base-stok")[0] == 2
    assert "did you mean base-stock?" in restock("policy", "set", TEA, "base-stok")[2]
    assert restock("policy", "freeze", "NO@BER1")[0] == 1
    assert restock("policy", "freeze", "TEA-01")[0] == 2
    assert restock("policy")[0] == 2
