"""Draws an item's stock, orders and demand."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agents.cli import svg

HEIGHT = 320
_STOCK, _ORDER, _DEMAND, _LOST = "#9cc6ea", "#1c6db0", "#222222", "#c0392b"
_SMALL = 'font-size="11" fill="#666666"'


def draw(path: Path, title: str, dates: Sequence[str], rows: Sequence[Any]) -> None:
    """Stock after receipts as an area, orders as bars from above, demand as dots, red where some of it was lost."""
    highest = max([1, *(row.on_hand for row in rows), *(row.demand for row in rows)])
    most = max([1, *(row.ordered for row in rows)])
    x, floor = svg.across(len(dates)), HEIGHT - 30

    def y(value: float) -> float:
        return floor - max(value, 0.0) / float(highest) * (HEIGHT - 100)

    corners = [f"{x(row.period):.1f},{y(row.on_hand):.1f}" for row in rows]
    area = [f"{x(rows[0].period):.1f},{floor}", *corners, f"{x(rows[-1].period):.1f},{floor}"] if rows else []
    bars = [
        f'<line x1="{x(row.period):.1f}" x2="{x(row.period):.1f}" y1="30" y2="{30 + 34 * row.ordered / most:.1f}" '
        f'stroke="{_ORDER}" stroke-width="1.5"/>'
        for row in rows
        if row.ordered
    ]
    dots = [
        f'<circle cx="{x(row.period):.1f}" cy="{y(row.demand):.1f}" r="1.8" fill="{_LOST if row.lost else _DEMAND}"/>'
        for row in rows
        if row.demand
    ]
    ticks = [svg.label(value, y(value), _SMALL) for value in (0.0, highest / 2, highest)]
    legend = (
        f'<text x="{svg.RIGHT}" y="18" text-anchor="end" {_SMALL}>'
        f'area: stock · bars from above: orders, the longest {most} · dots: demand, <tspan fill="{_LOST}">red</tspan> '
        "where sales were lost</text>"
    )
    parts = [
        legend,
        f'<polygon points="{" ".join(area)}" fill="{_STOCK}"/>',
        *ticks,
        *bars,
        *dots,
        *svg.days(dates, HEIGHT, _SMALL),
    ]
    svg.write(path, HEIGHT, title, parts)
