"""Writes the page of metrics from their declarations: `python -m agents.worker.metrics_page FILE`.

It asks a worker that holds nothing what it exports, so nothing is described that is not there.
"""

import sys
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from faust.types import TP
from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric

from agents.notify.delivery_counts import DeliveryCounts
from agents.notify.metrics import NotifyMetrics
from agents.worker.resources import zeros
from stream.consumer.readers import Readers
from stream.observability.answers import Answers
from stream.observability.instruments import NO_SHARD, Instruments
from stream.observability.metrics import Metrics
from stream.observability.probe import Probe

HEAD = """# Metrics

What a worker exports at `/metrics`. `make docs` writes this page from the declarations in `stream/observability/`;
[add a metric](how-to/add-a-metric.md) says how to add one. Labels are never items: the number of series does not grow
with them. Values of a label that are known beforehand are there with 0 from the start.

| metric | type | labels | what it is |
|---|---|---|---|
"""
NOTIFY_HEAD = """
## `restock notify`

What it exports, where `metrics` of `[notify]` says ([tell people](how-to/notify-people.md)); its declarations are in
`agents/notify/metrics.py`. A recipient is one of `[[notify.to]]`.

| metric | type | labels | what it is |
|---|---|---|---|
"""
MOST_VALUES = 8
"""A label with more values is named without them."""


class IdleIntake:
    """An intake that has read nothing."""

    movements = 0
    letters_refused = False
    verdicts: Mapping[tuple[str, str], int] = Counter()


async def _no_ends(_: Collection[TP]) -> Mapping[TP, int]:
    return {}


async def _no_ping() -> None:
    return None


def idle_registry() -> CollectorRegistry:
    """What a worker exports that holds no partition."""
    instruments = Instruments()
    instruments.count_on(NO_SHARD, zeros())
    probe = Probe(Answers(instruments.registry), Readers({}), (), _no_ends, _no_ping)
    return Metrics(instruments, IdleIntake(), probe).registry


def page() -> str:
    """The page as it stands in docs."""
    notify = NotifyMetrics(DeliveryCounts(())).registry
    return HEAD + "".join(sorted(_rows(idle_registry()))) + NOTIFY_HEAD + "".join(sorted(_rows(notify)))


def _rows(registry: CollectorRegistry) -> Iterator[str]:
    for family in registry.collect():
        name = f"{family.name}_total" if family.type == "counter" else family.name
        yield f"| `{name}` | {family.type} | {_labels(family)} | {family.documentation} |\n"


def _labels(family: Metric) -> str:
    """The labels of a metric, with their values where those are few and do not change with the version."""
    values: dict[str, dict[str, None]] = {label: {} for label in getattr(family, "_labelnames", ())}
    for sample in family.samples:
        for label, value in sample.labels.items():
            if label != "le":
                values.setdefault(label, {})[value] = None
    return ", ".join(
        f"`{label}` ({', '.join(given)})" if 0 < len(given) <= MOST_VALUES and label != "version" else f"`{label}`"
        for label, given in values.items()
    )


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
