"""With `unknown_items = ask` another spelling of a known item is refused in whatever shard it would have been."""

import json
from pathlib import Path

from bench.engines.shop import order
from stream.local import LocalServers
from tests.chaos.system import System

AT = 1_772_450_000_000
KNOWN = [f"SKU-{number}" for number in range(6)]


def test_every_other_spelling_is_in_the_dead_letters_with_the_nearest_named(
    servers: LocalServers, app: str, tmp_path: Path
) -> None:
    orders = [(sku, f"first-{sku}") for sku in KNOWN] + [(sku.lower(), f"second-{sku}") for sku in KNOWN]
    with System(servers.kafka, servers.redis, app, tmp_path, unknown_items="ask") as system:
        for placed in (orders[:6], orders[6:]):
            system.publish(("orders", b"1", order(name, AT, [(sku, 1)])) for sku, name in placed)
            system.work_off()
        letters = [json.loads(line) for line in system.run("dead-letters", "list", "--json").stdout.splitlines()]
        assert {letter["reason"] for letter in letters} == {"unknown_item"}
        assert len(letters) == 6
        shown = system.run("dead-letters", "show", letters[0]["place"]).stdout
        assert "is spelt almost like SKU-" in shown
        names = [f"{sku}@BER1" for sku, _ in orders]
        assert sorted(system.items(names)) == sorted(f"{sku}@BER1" for sku in KNOWN)
        assert system.run("audit").returncode == 0

        other = {"sku": "sku-0", "location": "BER1", "lead_time_days": 2}
        event = {"specversion": "1.0", "id": "cfg", "source": "p", "type": "item.configured", "data": other}
        event["time"] = "2026-03-02T12:00:00Z"
        system.publish([("catalog", b"1", json.dumps(event).encode())])
        system.work_off()
        assert "SKU-0@BER1 and sku-0@BER1 are spelt almost alike" in system.run("doctor").stdout
        system.environment["RESTOCK_UNKNOWN_ITEMS"] = "accept"
        applied = system.run("settings", "apply")
        assert (applied.returncode, "cannot be applied" in applied.stderr) == (2, True)
