"""Draws an item's stock, orders and demand as SVG: no library, small enough to lie in a repository."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

WIDTH, HEIGHT, MARGIN = 860, 320, 46
_STOCK, _ORDER, _DEMAND, _LOST = "#9cc6ea", "#1c6db0", "#222222", "#c0392b"
_SMALL = 'font-size="11" fill="#666666"'


def draw(path: Path, title: str, dates: Sequence[str], rows: Sequence[Any]) -> None:
    """Stock after receipts as an area, orders as bars from above, demand as dots, red where some of it was lost."""
    highest = max([1, *(row.on_hand for row in rows), *(row.demand for row in rows)])
    most = max([1, *(row.ordered for row in rows)])
    count, floor = max(len(dates) - 1, 1), HEIGHT - 30

    def x(period: int) -> float:
        return MARGIN + period / count * (WIDTH - MARGIN - 12)

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
    ticks = [
        f'<text x="{MARGIN - 6}" y="{y(value) + 4:.1f}" text-anchor="end" {_SMALL}>{value:.4g}</text>'
        for value in (0.0, highest / 2, highest)
    ]
    days = [
        f'<text x="{x(n):.1f}" y="{HEIGHT - 10}" text-anchor="middle" {_SMALL}>{dates[n]}</text>'
        for n in sorted({0, count // 2, count} & set(range(len(dates))))
    ]
    legend = (
        f'<text x="{WIDTH - 12}" y="18" text-anchor="end" {_SMALL}>'
        f'area: stock · bars from above: orders, the longest {most} · dots: demand, <tspan fill="{_LOST}">red</tspan> '
        "where sales were lost</text>"
    )
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<text x="{MARGIN}" y="18" font-size="14">{title.replace("&", "&amp;").replace("<", "&lt;")}</text>',
        legend,
        f'<polygon points="{" ".join(area)}" fill="{_STOCK}"/>',
        *ticks,
        *bars,
        *dots,
        *days,
        "</svg>",
    ]
    path.write_text("\n".join(parts) + "\n", encoding="utf-8")
