"""What a dashboard is made of: panels that each answer one question, with the runbooks that say what to do about it.

The dashboards are described with these words in `fleet.py`, `flow.py`, `stock.py`, `learning.py` and `shard.py`;
`as_grafana.py` makes Grafana's JSON of them.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Unit: TypeAlias = Literal["short", "s", "bytes", "percentunit", "cps", "bool_yes_no"]
"""As Grafana names them: a number, seconds, bytes, a share, times a second, 1 for yes and 0 for no."""
Severity: TypeAlias = Literal["critical", "warning", "info"]


@dataclass(frozen=True)
class Query:
    """An expression of PromQL, and the name of a line of its answer."""

    expr: str
    legend: str
    empty: str = ""
    """When a system in order has no answer to this, and why; an empty text where it always has one."""


@dataclass(frozen=True)
class Limit:
    """The number at which an alert rule fires: beyond it the panel is coloured by the alert's severity."""

    at: float
    alert: str
    severity: Severity
    below: bool = False
    """Whether it is numbers below the limit that are bad."""

    @property
    def line(self) -> float:
        """Where the colour changes; counts that must not rise above 0, or fall to it, change at 1."""
        return self.at or 1


@dataclass(frozen=True)
class Panel:
    """One question that somebody on call asks, and its answer."""

    title: str
    description: str
    unit: Unit
    queries: tuple[Query, ...]
    runbooks: tuple[str, ...]
    """Pages of docs/runbooks that say what to do when the answer is bad."""
    limits: tuple[Limit, ...] = ()
    now: bool = False
    """Whether only the newest numbers are shown, large, and no lines over time."""


@dataclass(frozen=True)
class Section:
    """A row of panels that belong together."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True)
class Dashboard:
    """A page of Grafana."""

    name: str
    title: str
    description: str
    sections: tuple[Section, ...]
    by_partition: bool = False
    """Whether one can choose among the shards."""

    @property
    def panels(self) -> tuple[Panel, ...]:
        """All panels, in the order in which they are shown."""
        return tuple(panel for section in self.sections for panel in section.panels)


def filled(expr: str, rate_interval: str, job: str = ".+", partition: str = ".+") -> str:
    """The expression as Grafana sends it: with its variables replaced.

    >>> filled('rate(up{job=~"$job"}[$__rate_interval])', "1m")
    'rate(up{job=~".+"}[1m])'
    """
    values = {"$__rate_interval": rate_interval, "$job": job, "$partition": partition}
    for name, value in values.items():
        expr = expr.replace(name, value)
    return expr
