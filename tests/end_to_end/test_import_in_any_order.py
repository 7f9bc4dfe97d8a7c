"""Files imported in any order into a system that works: forecasts and levels are the same."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from stream.local import LocalServers
from tests.chaos.system import System, await_true

SKUS = ("TEA", "MUG", "POT", "JAR")
DAYS = 60
ORDERS = (("items", "orders", "stock"), ("stock", "items", "orders"))
"""Terms come before history, or they would hold from the next review on, which is at midnight."""


def files(home: Path, now: datetime) -> None:
    """What a shop exports when it moves."""
    first = now.replace(hour=10, minute=0, second=0, microsecond=0) - timedelta(days=DAYS)
    sales = [
        f"{day}-{sku},{sku},BER1,{1 + (day + place) % 3},{(first + timedelta(days=day)).isoformat()}"
        for day in range(DAYS)
        for place, sku in enumerate(SKUS)
    ]
    (home / "orders.csv").write_text("\n".join(["order_id,sku,location,quantity,time", *sales]))
    (home / "items.csv").write_text("\n".join(["sku,location,lead_time_days", *(f"{sku},BER1,3" for sku in SKUS)]))
    counted = [f"{sku},BER1,{place * 10},{now.isoformat()}" for place, sku in enumerate(SKUS)]
    (home / "stock.csv").write_text("\n".join(["sku,location,counted,as_of", *counted]))


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC)


def imported(system: System, order: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What is known of the items after an import in this order, while a worker works."""
    worker = system.start()
    worker.await_joined()
    for what in order:
        done = system.run("import", what, f"{what}.csv", "--yes", "--known-items", "none")
        assert done.returncode == 0, done.stderr + done.stdout
        system.settle()
    names = [f"{sku}@BER1" for sku in SKUS]

    def reviewed() -> bool:
        return all(each["forecast"] for each in system.items(names).values())

    await_true(reviewed, 60, lambda: f"not every item was reviewed:\n{worker.tail()}")
    assert system.stop() == [0]
    audit = system.run("audit")
    assert audit.returncode == 0, audit.stdout
    kept = ("stock", "forecast", "levels", "alerts", "open_replenishments")
    return {name: {part: each[part] for part in kept} for name, each in system.items(names).items()}


def test_an_import_in_any_order_is_learned_alike(
    servers: LocalServers, app: str, tmp_path: Path, now: datetime
) -> None:
    files(tmp_path, now)
    tomorrow = (now + timedelta(days=1)).date().isoformat()
    found = []
    for number, order in enumerate(ORDERS):
        with System(
            servers.kafka, servers.redis, f"{app}-{number}", tmp_path, clock="wall", tick="1s", decide_from=tomorrow
        ) as system:
            found.append(imported(system, order))
    assert found[0] == found[1]
    assert [each["stock"]["on_hand"] for each in found[0].values()] == [0, 10, 20, 30]
    assert all(5 < each["forecast"]["mean"] < 12 for each in found[0].values()), "some two a day, over four days"
