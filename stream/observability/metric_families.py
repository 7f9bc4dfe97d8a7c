"""Metric families as the Prometheus client takes them: one number, or a number for each value of some labels."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

Labelled: TypeAlias = tuple[tuple[str, ...], Mapping[Any, float]]
"""Names of labels, and a number for each of their values: a text for one label, a tuple of texts for several."""


def counter(name: str, text: str, value: float | Labelled) -> Metric:
    """A number that only grows; its exported name ends in `_total`."""
    return _family(CounterMetricFamily, name, text, value)


def gauge(name: str, text: str, value: float | Labelled) -> Metric:
    """A number as it is now."""
    return _family(GaugeMetricFamily, name, text, value)


def _family(kind: Any, name: str, text: str, value: Any) -> Metric:
    metric: Metric
    if not isinstance(value, tuple):
        metric = kind(name, text, value=value)
        return metric
    labels, numbers = value
    metric = family = kind(name, text, labels=labels)
    for key, number in numbers.items():
        family.add_metric([key] if isinstance(key, str) else list(key), number)
    return metric
