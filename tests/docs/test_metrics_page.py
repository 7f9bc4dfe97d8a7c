"""The page of metrics: every metric that a worker exports is on it, described, and nothing else is."""

import re
from pathlib import Path

from agents.worker.metrics_page import page
from stream.local import LocalServers
from tests.chaos.system import System
from tests.fakes.watched_worker import Watched

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"


def test_the_page_is_what_the_declarations_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "make docs"


def test_a_working_worker_exports_what_the_page_describes_and_nothing_else(
    servers: LocalServers, app: str, topic_prefix: str, tmp_path: Path
) -> None:
    of_workers, _, _ = PAGE.read_text(encoding="utf-8").partition("\n## ")
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| .* \| (.+) \|$", of_workers, re.MULTILINE)
    assert len(rows) > 60
    with System(servers.kafka, servers.redis, app, tmp_path) as system:
        worker = Watched(system.start())
        worker.await_answer("/readyz", 200, "ready\n")
        worker.await_value("restock_shard_held", system.partitions)
        exported = [
            (f"{family.name}_total" if family.type == "counter" else family.name, family.type, family.documentation)
            for family in worker.families()
            if not family.name.endswith("_created")
        ]
    assert sorted(exported) == sorted(rows)
    assert all(name.startswith("restock_") and text.endswith(".") for name, _, text in exported)
    assert all(name.endswith("_total") == (kind == "counter") for name, kind, _ in exported)
