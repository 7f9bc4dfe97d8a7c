"""Draws forecast against actual."""

from collections.abc import Sequence
from pathlib import Path

from agents.cli import svg
from agents.cli.svg import MARGIN, RIGHT

HEIGHT = 300
_BAND, _BOLD_BAND, _LINE, _ACTUAL, _INK = "#cfe3f5", "#9cc6ea", "#1c6db0", "#222222", 'font-size="11" fill="#666666"'


def draw(
    path: Path,
    title: str,
    dates: Sequence[str],
    actual: Sequence[float | None],
    mean: Sequence[float],
    quantiles: Sequence[Sequence[float]],
) -> None:
    """One item: what came (dots), the mean (line), and the bands up to the quantiles of 50, 80 and 95 %."""
    highest = max([1.0, *(q[3] for q in quantiles), *(value for value in actual if value is not None)])
    x = svg.across(len(dates))

    def y(value: float) -> float:
        return HEIGHT - 30 - min(value / highest, 1.0) * (HEIGHT - 66)

    def band(low: Sequence[float], high: Sequence[float], colour: str) -> str:
        there = [f"{x(n):.1f},{y(value):.1f}" for n, value in enumerate(high)]
        back = [f"{x(n):.1f},{y(value):.1f}" for n, value in reversed(list(enumerate(low)))]
        return f'<polygon points="{" ".join(there + back)}" fill="{colour}"/>'

    zero = [0.0] * len(dates)
    line = " ".join(f"{x(n):.1f},{y(value):.1f}" for n, value in enumerate(mean))
    dots = [
        f'<circle cx="{x(n):.1f}" cy="{y(value):.1f}" r="2" fill="{_ACTUAL}"/>'
        for n, value in enumerate(actual)
        if value is not None
    ]
    ticks = [
        svg.label(value, y(value), _INK)
        + f'<line x1="{MARGIN}" x2="{RIGHT}" y1="{y(value):.1f}" y2="{y(value):.1f}" stroke="#eee"/>'
        for value in (0.0, highest / 2.0, highest)
    ]
    parts = [
        *ticks,
        band(zero, [q[3] for q in quantiles], _BAND),
        band([q[0] for q in quantiles], [q[1] for q in quantiles], _BOLD_BAND),
        f'<polyline points="{line}" fill="none" stroke="{_LINE}" stroke-width="1.5"/>',
        *dots,
        *svg.days(dates, HEIGHT, _INK),
    ]
    svg.write(path, HEIGHT, title, parts)
