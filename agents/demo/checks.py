"""What is checked when the last day is over: nothing lost, nothing twice, and the state equal to the ledger's fold."""

import json
import re
import subprocess
from typing import NamedTuple

from agents.demo.figures import DemoFigures
from agents.demo.system import DemoSystem, restock


class Check(NamedTuple):
    """One promise, and what was found."""

    promise: str
    found: str
    kept: bool


def checks(system: DemoSystem, figures: DemoFigures) -> list[Check]:
    """Look at everything; the worker still runs."""
    return [_events(system, figures), _duplicates(system, figures), *_outputs(figures)]


def audit(system: DemoSystem) -> Check:
    """`restock audit`, as anybody would run it."""
    done = subprocess.run([*restock(system.config), "audit", "--json"], capture_output=True, text=True, check=False)  # noqa: S603 - ourselves
    if done.returncode not in {0, 1}:
        return Check("the state equals the fold of the ledger", done.stderr.strip(), kept=False)
    verdict = json.loads(done.stdout)
    differing = [shard["first_difference"] for shard in verdict["shards"] if not shard["equal"]]
    found = differing[0] if differing else f"{len(verdict['shards'])} shards equal"
    return Check("the state equals the fold of the ledger (restock audit)", found, kept=bool(verdict["equal"]))


def _events(system: DemoSystem, figures: DemoFigures) -> Check:
    events = count(system, "restock_events_total")
    refused = count(system, "restock_dead_letters_total")
    found = f"{figures.events:,} published, {events:,} read, {refused:,} refused"
    return Check("every event is read once", found, kept=events == figures.events and refused == 0)


def _duplicates(system: DemoSystem, figures: DemoFigures) -> Check:
    dropped = count(system, 'restock_duplicates_dropped_total{kind="business"}')
    found = f"{figures.sent_twice:,} order lines sent twice, {dropped:,} dropped"
    return Check("what is sent twice counts once", found, kept=dropped == figures.sent_twice)


def _outputs(figures: DemoFigures) -> list[Check]:
    reviews = figures.days * figures.items
    return [
        Check(
            "every replenishment is published once",
            f"{figures.replenishments:,} read, {figures.repeated_orders:,} twice",
            kept=figures.repeated_orders == 0,
        ),
        Check(
            "one review an item and day",
            f"{figures.reviews:,} of {reviews:,}",
            kept=figures.reviews == reviews,
        ),
        Check(
            "the worker's stock equals the shelf",
            f"{figures.compared:,} comparisons, 0 differences",
            kept=figures.compared == reviews,
        ),
    ]


def count(system: DemoSystem, metric: str) -> int:
    """The sum of a metric's values, as the worker exports them."""
    _, text = system.worker.get("/metrics")
    found = re.findall(rf"^{re.escape(metric)}(?:\{{.*\}})? (\S+)$", text, re.MULTILINE)
    return int(sum(map(float, found)))
