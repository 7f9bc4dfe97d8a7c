"""The commands that read, on a system that has worked: one worker run over a month of orders, then asked about it."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import redis
from confluent_kafka.admin import AdminClient

from schemas.codec import decode_output
from schemas.outbound import ItemReviewed
from schemas.quantities import instant
from schemas.topics import place
from stream.checkpoint.store import LAYOUT
from stream.kafka import ledger_state, topics
from stream.kafka.topic_reader import TopicReader
from stream.local import LocalServers
from stream.settings import Settings, as_environment
from tests.agents.cli.conftest import Run

TEA, MUG = "TEA-01@BER1", "MUG-07@BER1"
POSITION = ("on_hand", "allocated", "backorders", "on_order")
ANSWER = {"replenishment_id": "rep-x", "status": "accepted", "confirmed": 1}
PROMISED = {"item", "as_of", "stock", "open_replenishments", "forecast", "levels", "policy", "alerts", "decisions"}
WORKER = "import sys; from agents.cli import main; sys.exit(main(['worker', '--exit-when-idle', '1']))"


def event(name: str, type_: str, time: str, **data: Any) -> str:
    data = {key.rstrip("_"): value for key, value in data.items()}
    if "lines" not in data:
        data = {"sku": "TEA-01", "location": "BER1", **data}
    attributes = {"specversion": "1.0", "id": name, "source": "shop", "type": type_, "time": time}
    return json.dumps({**attributes, "data": data})


def order(number: int, day: int, tea: int) -> str:
    lines = [
        {"line_id": "1", "sku": "TEA-01", "location": "BER1", "quantity": tea},
        {"line_id": "2", "sku": "MUG-07", "location": "BER1", "quantity": 1},
    ]
    return event(f"o{number}", "order.placed", f"2026-03-{day:02}T10:00:00Z", order_id=f"o{number}", lines=lines)


def setup_events() -> list[str]:
    start = "2026-03-01T00:00:00Z"
    return [
        event("cfg-1", "item.configured", start, lead_time_days=4, supplier="acme", order_multiple=20, class_="A"),
        event("cfg-2", "item.configured", start, sku="MUG-07", mode="approve"),
        event("cnt-1", "stock.counted", start, count_id="1", counted=120, as_of=start),
        event("cnt-2", "stock.counted", start, sku="MUG-07", count_id="2", counted=5, as_of=start),
        *[order(day, day, tea=3 + day % 5) for day in range(1, 29)],
    ]


def refused_events() -> list[str]:
    return [
        order(7, 7, tea=77),  # the id of another order
        event(
            "ack-1",
            "replenishment.acknowledged",
            "2026-03-28T10:00:00Z",
            replenishment_id="rep-x",
            status="accepted",
            confirmed=1,
        ),
        order(99, 28, tea=0),
    ]


@pytest.fixture(scope="module")
def settings(servers: LocalServers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A system whose worker has seen everything and is gone."""
    name = f"reading{os.getpid()}"
    settings = Settings(
        kafka=servers.kafka,
        redis=servers.redis,
        app=name,
        topic_prefix=f"{name}.",
        partitions=2,
        clock="events",
        tick_ms=500,
    )
    environment = os.environ | as_environment(settings) | {"RESTOCK_METRICS": ":0"}
    directory = tmp_path_factory.mktemp("reading")
    topics.create(settings)
    ledger_state.begin(settings)
    for number, events in enumerate((setup_events(), refused_events())):
        file = directory / f"{number}.jsonl"
        file.write_text("".join(line + "\n" for line in events), encoding="utf-8")
        publish = f"from agents.cli import main; main(['publish', '--no-validate', {str(file)!r}])"
        subprocess.run([sys.executable, "-c", publish], env=environment, cwd=directory, check=True, timeout=60)
        subprocess.run([sys.executable, "-c", WORKER], env=environment, cwd=directory, check=True, timeout=90)
    yield settings
    admin = AdminClient({"bootstrap.servers": servers.kafka})
    for deleted in admin.delete_topics([topic.name for topic in topics.plan(settings, 1)]).values():
        deleted.result(30)


@pytest.fixture(autouse=True)
def _here(settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for key, value in as_environment(settings).items():
        monkeypatch.setenv(key, value)
    monkeypatch.chdir(tmp_path)


def lines_of(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


# Items ----------------------------------------------------------------------------------------------------------------


def test_item_has_the_promised_shape(restock: Run, settings: Settings) -> None:
    exit_code, out, err = restock("item", TEA, "--json")
    assert (exit_code, err) == (0, "")
    (seen,) = lines_of(out)
    assert {
        "item",
        "as_of",
        "stock",
        "open_replenishments",
        "forecast",
        "levels",
        "policy",
        "alerts",
        "decisions",
    } <= set(seen)
    sold = sum(3 + day % 5 for day in range(1, 29))
    assert seen["item"] == TEA
    assert seen["stock"]["known"] is True
    assert seen["stock"]["on_hand"] == 120 - sold
    assert seen["stock"]["position"] == seen["stock"]["available"] + seen["stock"]["on_order"]
    assert seen["as_of"]["partition"] == place(TEA, settings.partitions)
    assert seen["as_of"]["offset"] > 28
    assert seen["as_of"]["time"] > "2026"
    assert seen["levels"].keys() >= {"reorder_point", "order_up_to", "safety_stock", "low_stock"}
    assert seen["terms"]["lead_time_days"] == {"value": 4.0, "from": "item"}
    assert seen["terms"]["holding_rate"] == {"value": 0.25, "from": "default"}
    assert (seen["lost_sale"]["from"], seen["hold"], seen["warnings"]) == ("usual_service_level", None, [])
    assert seen["forecast"]["mean"] > 0
    assert "negative_stock" in [alert["kind"] for alert in seen["alerts"]]
    assert all(alert.keys() == {"kind", "episode", "since"} for alert in seen["alerts"])
    for open_one in seen["open_replenishments"]:
        assert open_one.keys() >= {"replenishment_id", "quantity", "received", "status", "due"}
        assert open_one["quantity"] % 20 == 0
    assert seen["decisions"][0]["why"]["position"].keys() == {"on_hand", "allocated", "backorders", "on_order"}


def test_an_unknown_item_is_exit_1_and_the_others_are_shown(restock: Run) -> None:
    exit_code, out, err = restock("item", "NO@BER1", MUG, "--json")
    assert exit_code == 1
    assert [seen["item"] for seen in lines_of(out)] == [MUG]
    assert err.startswith("restock item: NO@BER1 is unknown: ")
    assert err.count("\n") == 1


def test_items_come_from_standard_input(restock: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{TEA}\n\n{MUG}\n"))
    exit_code, out, _ = restock("item", "-", "--json")
    assert (exit_code, [seen["item"] for seen in lines_of(out)]) == (0, [TEA, MUG])


def test_item_for_people_says_the_same(restock: Run) -> None:
    exit_code, out, _ = restock("item", TEA)
    assert exit_code == 0
    assert out.splitlines()[0] == f"{TEA}  (class A, policy pil-q)"
    assert "on hand, 0 allocated, 0 backorders" in out
    assert "restock explain rep-" in out
    assert "  terms      item: lead_time_days 4, supplier acme, order_multiple 20, class A\n" in out
    assert "a lost sale costs 0.01 EUR a unit (usual service level)" in out
    assert "\x1b" not in out


def test_what_is_no_item_is_wrong_use(restock: Run) -> None:
    assert restock("item", "TEA-01")[0] == 2


def test_items_are_listed_and_filtered(restock: Run) -> None:
    exit_code, out, _ = restock("items", "--json")
    assert (exit_code, [row["item"] for row in lines_of(out)]) == (0, [MUG, TEA])
    assert [row["item"] for row in lines_of(restock("items", "--class", "A", "--json")[1])] == [TEA]
    assert [row["item"] for row in lines_of(restock("items", "--alert", "negative_stock", "--json")[1])] == [MUG, TEA]
    assert restock("items", "--alert", "overstock", "--json")[:2] == (0, "")
    table = restock("items")[1].splitlines()
    assert table[0].split("\t")[:3] == ["item", "class", "on hand"]
    assert len(table) == 3
    exit_code, _, err = restock("items", "--alert", "lowstock")
    assert (exit_code, err.count("\n")) == (2, 1)


def test_an_older_layout_is_refused(restock: Run, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, known in (("LAYOUT", 99), ("READABLE", (99,))):
        monkeypatch.setattr(f"stream.checkpoint.reader.{name}", known)
    exit_code, _, err = restock("items")
    assert exit_code == 2
    assert f"has layout {LAYOUT}, this version needs 99: install 0.1.0, or run `restock rebuild`" in err
    monkeypatch.undo()
    for key, value in as_environment(settings).items():
        monkeypatch.setenv(key, value)
    monkeypatch.setenv("RESTOCK_PARTITIONS", "1")
    exit_code, _, err = restock("items")
    assert (exit_code, "RESTOCK_PARTITIONS=1 is not what Redis was written with, 2" in err) == (2, True)


# Decisions ------------------------------------------------------------------------------------------------------------


def test_replenishments_are_listed_once_with_their_state(restock: Run) -> None:
    everything = lines_of(restock("replenishments", "--json")[1])
    open_ones = lines_of(restock("replenishments", "--open", "--json")[1])
    assert {row["item"] for row in everything} == {TEA, MUG}
    assert len({row["replenishment_id"] for row in everything}) == len(everything) > 0
    assert {row["replenishment_id"] for row in open_ones} <= {row["replenishment_id"] for row in everything}
    assert {row["status"] for row in open_ones if row["item"] == MUG} == {"proposed"}
    of_acme = lines_of(restock("replenishments", "--supplier", "acme", "--json")[1])
    assert {row["item"] for row in of_acme} == {TEA}
    assert restock("replenishments", "--since", "2100-01-01", "--json")[:2] == (0, "")
    assert len(lines_of(restock("replenishments", "--since", "1h", "--json")[1])) == len(everything)
    assert restock("replenishments", "--since", "soon")[0] == 2
    assert restock("replenishments")[1].splitlines()[0].startswith("replenishment id\titem\tquantity")


def test_explain_shows_the_decision_its_inputs_its_counterfactual_and_its_cause(restock: Run) -> None:
    for row in lines_of(restock("replenishments", "--json")[1]):
        exit_code, out, _ = restock("explain", row["replenishment_id"], "--json")
        assert exit_code == 0
        answer = json.loads(out)
        assert (answer["item"], answer["quantity"], answer["replenishment_id"]) == (
            row["item"],
            row["quantity"],
            row["replenishment_id"],
        )
        assert answer["counterfactual"]["baseline_quantity"] == answer["why"]["baseline_quantity"]
        assert answer["cause"]["kind"] in {"event", "review", "deadline"}
        assert answer["cause"]["appended"] > "2026"
        if answer["cause"]["kind"] == "event":
            assert (answer["cause"]["source"], answer["cause"]["change"]) == ("shop", "Placed")
        text = restock("explain", row["replenishment_id"])[1]
        verb = "was proposed" if row["item"] == MUG else "was ordered from acme"
        assert f"{row['quantity']} of {row['item']} {verb} on 2026-03-" in text
        assert "The position was " in text
        assert "The baseline policy would have ordered" in text


def test_explain_says_no_to_what_nobody_decided(restock: Run) -> None:
    (row, *_) = lines_of(restock("replenishments", "--json")[1])
    ledger, partition = row["replenishment_id"].split("-")[1:3]
    for wrong in (f"rep-{ledger}-{partition}-999999-0", f"rep-{ledger}-99-1-0", f"rep-{ledger}-{partition}-0-0"):
        exit_code, out, err = restock("explain", wrong)
        assert (exit_code, out, err.count("\n")) == (1, "", 1)
        assert err.startswith(f"restock explain: {wrong} is in no journal")
    assert restock("explain", "42")[0] == 2


def test_explain_says_why_an_item_is_or_is_not_ordered_now(restock: Run) -> None:
    exit_code, out, err = restock("explain", MUG, "--json")
    assert (exit_code, err) == (0, "")
    shown = json.loads(out)
    (seen,) = lines_of(restock("item", MUG, "--json")[1])
    assert (shown["stock"], shown["as_of"]["offset"]) == (seen["stock"], seen["as_of"]["offset"])
    assert shown["open_replenishments"] == seen["open_replenishments"]
    assert "approval" in [obstacle["kind"] for obstacle in shown["obstacles"]]
    exit_code, out, _ = restock("explain", MUG)
    heading, *sentences = out.splitlines()
    assert exit_code == 0
    assert heading.startswith(f"{MUG} at 2026-03-2")
    assert sentences == shown["sentences"]
    assert any("waits for approval and counts as on order" in sentence for sentence in sentences)


def test_explain_at_a_moment_folds_to_what_was_reviewed_then(restock: Run, settings: Settings) -> None:
    topic = settings.topic("reviews")
    with TopicReader(settings) as reader:
        outputs = [decode_output(message.value() or b"") for message in reader.read(topic, reader.bounds(topic))]
    of_tea = [output for output in outputs if output.item == TEA]
    assert len(of_tea) > 20
    for review in of_tea[3::10]:
        exit_code, out, _ = restock("explain", TEA, "--at", instant(review.time_ms), "--json")
        shown, body = json.loads(out), review.body
        assert isinstance(body, ItemReviewed)
        assert body.position is not None
        assert (exit_code, shown["at"], shown["reviews"]["last"]) == (0, *[instant(review.time_ms)] * 2)
        assert {name: shown["stock"][name] for name in POSITION} == msgspec.structs.asdict(body.position)
        assert (shown["outcome"], shown["replenishment_id"]) == (body.decision, body.replenishment_id)


def test_explain_says_which_moments_it_cannot_answer(restock: Run) -> None:
    for words, expected, line in (
        ((TEA, "--at", "2026-02-01"), 1, f"{TEA} was not known at 2026-02-01: nothing about it had come by then"),
        ((TEA, "--at", "2199-01-01"), 2, "--at=2199-01-01 is yet to come: give a moment that has been"),
        (("NO@BER1", "--at", "2026-03-20"), 1, "NO@BER1 was not known at 2026-03-20"),
        (("NO@BER1",), 1, "NO@BER1 is unknown: "),
        (("rep-a-1-2-3", "--at", "2026-03-20"), 2, "--at is for items"),
    ):
        exit_code, out, err = restock("explain", *words)
        assert (exit_code, out, err.count("\n")) == (expected, "", 1)
        assert err.startswith(f"restock explain: {line}")


# Dead letters ---------------------------------------------------------------------------------------------------------


def test_dead_letters_are_listed_and_filtered(restock: Run, settings: Settings) -> None:
    letters = lines_of(restock("dead-letters", "list", "--json")[1])
    assert {(letter["reason"], letter["stage"], letter["item"]) for letter in letters} == {
        ("conflicting_duplicate", "controller", TEA),
        ("conflicting_duplicate", "controller", MUG),
        ("unknown_replenishment", "controller", TEA),
        ("out_of_range", "intake", None),
    }
    assert {letter["origin"].split("/")[0] for letter in letters} == {settings.topic("orders"), settings.topic("stock")}
    assert all(letter["message"] for letter in letters)
    reasons = [row["reason"] for row in lines_of(restock("dead-letters", "list", "--topic", "stock", "--json")[1])]
    assert reasons == ["unknown_replenishment"]
    assert len(lines_of(restock("dead-letters", "list", "--reason", "out_of_range", "--json")[1])) == 1
    assert restock("dead-letters", "list", "--since", "2100-01-01", "--json")[1] == ""
    assert len(restock("dead-letters", "list")[1].splitlines()) == 5


def test_a_letter_shows_its_original_bytes_also_where_it_holds_none(restock: Run) -> None:
    for letter in lines_of(restock("dead-letters", "list", "--json")[1]):
        shown = json.loads(restock("dead-letters", "show", letter["place"], "--json")[1])
        assert json.loads(shown["value"])["source"] == "shop"
        assert shown["headers"] == {"content-type": "application/cloudevents+json"}
        assert "reason" in restock("dead-letters", "show", letter["place"])[1]


@pytest.mark.parametrize(
    "words, message",
    [
        (["show"], "needs a place"),
        (["show", "7"], "7 is no place of a dead letter"),
        (["show", "0/999"], "0/999 holds no dead letter"),
        (["redrive"], "needs to know which"),
    ],
)
def test_wrong_words_about_letters_are_one_line(restock: Run, words: list[str], message: str) -> None:
    exit_code, _, err = restock("dead-letters", *words)
    assert (exit_code, err.count("\n"), message in err) == (2, 1, True)


# The doctor -----------------------------------------------------------------------------------------------------------


def test_the_doctor_finds_a_healthy_system(restock: Run) -> None:
    exit_code, out, _ = restock("doctor", "--json")
    assert exit_code == 0
    answer = json.loads(out)
    verdicts = {finding["what"]: finding["verdict"] for finding in answer["findings"]}
    assert verdicts == {
        "versions": "ok",
        "kafka": "ok",
        "topics": "ok",
        "ledger": "ok",
        "access": "ok",
        "clock": "ok",
        "workers": "warning",
        "intake": "ok",
        "redis": "ok",
        "shards": "ok",
        "terms": "ok",
        "letters": "warning",
    }
    assert answer["settings"]["RESTOCK_PARTITIONS"] == "2"


def test_the_doctor_names_what_is_wrong_and_shows_no_secret(restock: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESTOCK_LATENESS", "1m")
    exit_code, out, _ = restock("doctor")
    assert exit_code == 1
    assert "wrong       ledger    RESTOCK_LATENESS=1m is not what the ledger follows, 5m" in out
    monkeypatch.setenv("RESTOCK_REDIS", "redis://:canary@127.0.0.1:1/0")
    exit_code, out, _ = restock("doctor")
    assert exit_code == 3
    assert "unreachable redis     RESTOCK_REDIS=redis://:***@127.0.0.1:1/0 does not answer" in out
    assert "canary" not in out


def test_asking_the_broker_for_its_time_leaves_nothing_to_read(restock: Run, settings: Settings) -> None:
    restock("doctor")
    assert len(lines_of(restock("dead-letters", "list", "--json")[1])) == 4


def test_settings_show_both_sides(restock: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert restock("settings", "show")[0] == 0
    monkeypatch.setenv("RESTOCK_SPREAD", "1h")
    exit_code, out, _ = restock("settings", "show", "--json")
    answer = json.loads(out)
    assert (exit_code, answer["differing"]) == (1, ["RESTOCK_SPREAD"])
    (spread,) = [each for each in answer["settings"] if each["key"] == "RESTOCK_SPREAD"]
    assert (spread["value"], spread["in_ledger"]) == ("1h", "0s")


# Last, since it publishes ---------------------------------------------------------------------------------------------


def test_redriving_publishes_the_original_under_its_id(restock: Run, settings: Settings) -> None:
    def orders() -> int:
        from stream.kafka.topic_reader import TopicReader, whole

        with TopicReader(settings) as reader:
            return whole(reader.bounds(settings.topic("orders")))

    before = orders()
    conflicts = lines_of(restock("dead-letters", "list", "--reason", "conflicting_duplicate", "--json")[1])
    places = [letter["place"] for letter in conflicts]
    assert len(places) == 2  # of one order with two items
    assert restock("dead-letters", "redrive", *places, "--json")[:2] == (0, '{"redriven": 1, "gone": 0}\n')
    assert restock("dead-letters", "redrive", "--topic", "orders")[1] == "1 events published again under their ids\n"
    assert orders() == before + 2
    letters = lines_of(restock("dead-letters", "list", "--json")[1])
    assert {letter["state"] for letter in letters if letter["reason"] == "conflicting_duplicate"} == {"redriven"}
    assert {letter["id"] for letter in letters} == {"o7", "o99", "ack-1"}


def test_without_a_checkpoint_every_item_is_unknown(restock: Run, settings: Settings) -> None:
    with redis.Redis.from_url(settings.redis) as client:
        client.flushall()
    assert restock("item", TEA)[0] == 1
    code, out, err = restock("items", "--json")
    assert (code, out) == (0, "")
    assert "has a checkpoint in Redis" in err
    assert "has a checkpoint in Redis" in restock("policies")[2]
