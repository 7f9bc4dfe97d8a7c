"""Reads expressions of PromQL, and says what is wrong with them as questions about what a worker exports.

Prometheus answers a question about a metric that does not exist with nothing, and one about the wrong label likewise: a
panel or rule that is wrong looks like one that has nothing to say.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import promql_parser
import yaml

ROOT = Path(__file__).parents[2]
OF_A_TARGET = frozenset({"job", "instance"})
"""Labels that Prometheus adds to all it reads."""
OF_COUNTERS = frozenset({"rate", "increase"})
OF_GAUGES = frozenset({"deriv", "changes", "min_over_time", "max_over_time", "last_over_time"})
WITHOUT_MATCHING = frozenset({"or", "unless", "and"})
"""Operators whose sides may have different labels: the left side's stay."""
PARTS = ("_bucket", "_count", "_sum")


@dataclass(frozen=True)
class Exported:
    """A metric, as far as an expression depends on it."""

    kind: str
    labels: dict[str, set[str]]
    """Names of its labels, with their values where they are known beforehand."""


def exported() -> dict[str, Exported]:
    """Every metric of docs/metrics.md, which is held to what a worker exports, and what Prometheus adds itself."""
    page = (ROOT / "docs/metrics.md").read_text(encoding="utf-8")
    found = {
        "up": Exported("gauge", {}),
        "ALERTS": Exported("gauge", {name: set() for name in ("alertname", "alertstate", "severity", "layer")}),
    }
    for name, kind, given in re.findall(r"^\| `(\w+)` \| (\w+) \| (.*?) \|", page, re.MULTILINE):
        labels = {
            label: set(values.split(", ")) if values else set()
            for label, values in re.findall(r"`(\w+)`(?: \(([^)]*)\))?", given)
        }
        if kind == "histogram":
            found |= {f"{name}{part}": Exported("counter", labels) for part in PARTS}
            found[f"{name}_bucket"] = Exported("counter", labels | {"le": set()})
        else:
            found[name] = Exported(kind, labels)
    return found


def recorded() -> dict[str, frozenset[str]]:
    """The labels of every series that the recording rules make: its name says them, before the first colon."""
    rules = yaml.safe_load((ROOT / "deploy/prometheus/rules/restock.yml").read_text(encoding="utf-8"))
    names = [rule["record"] for group in rules["groups"] for rule in group["rules"] if "record" in rule]
    return {name: frozenset(name.split(":")[0].split("_")) for name in names}


EXPORTED, RECORDED = exported(), recorded()


class Question:
    """One expression: what it asks about, what is wrong with it, and the labels of its answer."""

    def __init__(self, text: str) -> None:
        self.names: set[str] = set()
        self.problems: list[str] = []
        self.labels: frozenset[str] = self._labels(promql_parser.parse(text), within=()) or frozenset()

    def _labels(self, node: Any, within: tuple[str, ...]) -> frozenset[str] | None:  # noqa: PLR0911 - one for each kind
        """The labels of what a part of the expression answers; None for a number without any."""
        match node:
            case promql_parser.NumberLiteral():
                return None
            case promql_parser.ParenExpr() | promql_parser.UnaryExpr():
                return self._labels(node.expr, within)
            case promql_parser.VectorSelector():
                return self._selected(node, within, ranged=False)
            case promql_parser.MatrixSelector():
                return self._selected(node.vector_selector, within, ranged=True)
            case promql_parser.Call():
                return self._called(node, within)
            case promql_parser.AggregateExpr():
                return self._aggregated(node, within)
            case promql_parser.BinaryExpr():
                return self._combined(node, within)
        raise NotImplementedError(f"{type(node).__name__}: {node.prettify()}")

    def _called(self, node: Any, within: tuple[str, ...]) -> frozenset[str] | None:
        name = node.func.name
        found = [self._labels(each, (*within, name)) for each in node.args]
        if name in {"time", "vector", "scalar"}:
            return frozenset() if name == "vector" else None
        (labels,) = [each for each in found if each is not None]
        if name == "histogram_quantile":
            self._expect("le" in labels, f"histogram_quantile of what has no le: {node.prettify()}")
            return labels - {"le"}
        return labels

    def _aggregated(self, node: Any, within: tuple[str, ...]) -> frozenset[str]:
        labels = self._labels(node.expr, (*within, str(node.op))) or frozenset()
        kept = frozenset(node.modifier.labels) if node.modifier else frozenset[str]()
        if node.modifier is not None and node.modifier.type != promql_parser.AggModifierType.By:
            raise NotImplementedError(f"without: {node.prettify()}")
        self._expect(kept <= labels, f"{node.op} by {sorted(kept - labels)}, which is not there")
        return kept

    def _combined(self, node: Any, within: tuple[str, ...]) -> frozenset[str] | None:
        left, right = self._labels(node.lhs, within), self._labels(node.rhs, within)
        if left is None or right is None:
            return right if left is None else left
        matching = node.modifier.matching if node.modifier else None
        if matching is not None:
            self._expect(frozenset(matching.labels) <= left & right, f"not on both sides: {matching}")
        elif str(node.op) not in WITHOUT_MATCHING:
            self._expect(left == right, f"{sorted(left)} never match {sorted(right)}: {node.prettify()}")
        return left

    def _selected(self, node: Any, within: tuple[str, ...], *, ranged: bool) -> frozenset[str]:
        self.names.add(node.name)
        if node.name in RECORDED:
            given = {matcher.name for matcher in node.matchers.matchers}
            self._expect(given <= RECORDED[node.name], f"{node.name} has no {sorted(given - RECORDED[node.name])}")
            return RECORDED[node.name]
        metric = EXPORTED.get(node.name)
        if metric is None:
            self.problems.append(f"no worker exports {node.name}")
            return OF_A_TARGET
        function = within[-1] if ranged else ""
        if metric.kind == "counter":
            self._expect(function in OF_COUNTERS, f"{node.name} only grows: ask for its rate or increase")
        elif ranged:
            self._expect(function in OF_GAUGES, f"{node.name} goes up and down: it has no {function}")
        for matcher in node.matchers.matchers:
            self._judge(node.name, metric, matcher)
        bucket = node.name.endswith("_bucket")
        one = {"le"} & {matcher.name for matcher in node.matchers.matchers}
        self._expect(
            not bucket or bool(one) or "histogram_quantile" in within, f"{node.name} is for quantiles, or for one le"
        )
        self._expect(bucket or "histogram_quantile" not in within, f"{node.name} has no quantiles")
        return OF_A_TARGET | metric.labels.keys()

    def _judge(self, name: str, metric: Exported, matcher: Any) -> None:
        """Look for labels that the metric has not, and for values that its label never has."""
        self._expect(matcher.name in OF_A_TARGET | metric.labels.keys(), f"{name} has no label {matcher.name}")
        known = metric.labels.get(matcher.name, set())
        if known and not re.search(r"[.+*]", matcher.value):
            for value in matcher.value.split("|"):
                self._expect(value in known, f"{matcher.name} of {name} is never {value}")

    def _expect(self, held: bool, otherwise: str) -> None:  # noqa: FBT001 - what is expected
        if not held:
            self.problems.append(otherwise)


def compared(expression: str) -> Iterator[float]:
    """The numbers that an expression compares with, also as the bucket of a histogram.

    >>> list(compared('up == 0 or lag > 14.4 * 0.005 or rate(seconds_bucket{le="1.0"}[5m]) < 0.9'))
    [0.0, 0.072, 0.9, 1.0]
    """
    for found in re.findall(r"(?:[<>]=?|==)\s*([\d.]+(?:\s*\*\s*[\d.]+)?)(?![\w.*])(?!\s*\*)", expression):
        product = 1.0
        for factor in found.split("*"):
            product *= float(factor)
        yield round(product, 9)
    yield from map(float, re.findall(r'le="([\d.]+)"', expression))
