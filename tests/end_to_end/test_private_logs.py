"""A worker that logs all it can says what it refused and published, and nothing that a producer or a secret says."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from schemas.contract.examples import example
from schemas.quantities import instant
from stream.local import LocalServers
from tests.chaos.system import System

CUSTOMER, MAIL, PASSWORD = "canary-customer-4711", "canary.person@example.org", "canary-password"
ITEM = {"sku": "TEA-01", "location": "BER1"}
LINES = [{"line_id": "1", "quantity": 3, **ITEM}]
NOON = 1_772_452_800_000


@pytest.fixture
def store(servers: LocalServers) -> Iterator[str]:
    """The store's URL, with a user and a password in it."""
    with redis.Redis.from_url(servers.redis) as client:
        client.acl_setuser("canary", enabled=True, passwords=[f"+{PASSWORD}"], keys=["*"], categories=["+@all"])
        yield servers.redis.replace("redis://", f"redis://canary:{PASSWORD}@")
        client.acl_deluser("canary")


def event(name: str, identity: str, minute: int, **data: Any) -> bytes:
    given: dict[str, Any] = example(name)
    about = {"id": identity, "time": instant(NOON + minute * 60_000), "correlationid": f"cor-{identity}"}
    return json.dumps(given | about | {"data": given["data"] | data}).encode()


def poison() -> list[tuple[str, bytes]]:
    """What is refused, some of it at intake and some by the state, and all of it with somebody's name in it."""
    order = event("order.placed", "bad", 1, order_id=MAIL, lines=LINES, customer=CUSTOMER)
    return [
        ("orders", order[:-9]),
        ("orders", MAIL.encode()),
        ("orders", b"\xff" + MAIL.encode()),
        ("orders", order.replace(b'"quantity": 3', f'"quantity": "{MAIL}"'.encode())),
        ("orders", event("order.placed", "bad-2", 1, order_id="o", lines=MAIL, customer={"name": CUSTOMER})),
        ("orders", event("order.cancelled", "bad-3", 1, reason={"why": MAIL})),
        ("orders", order.replace(b"order.placed", MAIL.encode())),
        ("stock", event("stock.adjusted", "adj", 3, reason=f"other than before, says {MAIL}", delta=-2, **ITEM)),
        ("stock", event("replenishment.acknowledged", "ack", 4, replenishment_id=MAIL, **ITEM)),
    ]


def test_nothing_private_is_logged_even_when_debugging(
    servers: LocalServers, store: str, app: str, topic_prefix: str, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text(PASSWORD, encoding="utf-8")
    files = {"privacy_key_file": str(secret), "kafka_password_file": str(secret)}
    with System(servers.kafka, store, app, tmp_path, log="debug", log_format="json", **files) as system:
        good = [
            ("stock", event("stock.counted", "cnt", 0, counted=5, as_of=instant(NOON), **ITEM)),
            ("catalog", event("item.configured", "cfg", 0, low_stock=4, **ITEM)),
            ("orders", event("order.placed", "ord", 2, order_id="o1", lines=LINES, customer=CUSTOMER)),
            ("stock", event("stock.adjusted", "adj", 3, reason=f"{MAIL} called", delta=-1, **ITEM)),
            ("orders", event("order.cancelled", "can", 4, order_id="o1", reason=f"{MAIL} is away", lines=LINES)),
        ]
        system.publish((topic, b"k", value) for topic, value in [*good, *poison()])
        system.work_off()
        [worker] = system.workers
        said = worker.log.read_text()

    assert "canary" not in said.replace("redis://canary:***@", "")
    lines = [json.loads(line) for line in said.splitlines()]
    refused = [line for line in lines if line["message"].startswith("Refused: ")]
    assert {line["logger"] for line in refused} == {"agents.intake.intake", "stream.observability.output_lines"}
    assert len(refused) == len(poison())
    assert all({"topic", "partition", "offset"} <= line.keys() or {"shard", "event"} <= line.keys() for line in refused)
    [conflict] = [line for line in refused if line["message"].endswith("conflicting_duplicate")]
    assert (conflict["item"], conflict["event"], conflict["correlation"]) == ("TEA-01@BER1", "adj", "cor-adj")
    alerts = [line for line in lines if line["message"] == "Published on alerts"]
    assert alerts
    assert all(line["correlation"] == f"cor-{line['causation']}" for line in alerts)
    assert any(line["logger"].startswith(("faust", "aiokafka", "mode")) for line in lines)
