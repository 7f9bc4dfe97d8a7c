"""Draws forecast against actual as SVG: no library, no fonts to find, small enough to lie in a repository."""

from collections.abc import Sequence
from pathlib import Path

WIDTH, HEIGHT, MARGIN = 860, 300, 46
_BAND, _BOLD_BAND, _LINE, _ACTUAL, _INK = "#cfe3f5", "#9cc6ea", "#1c6db0", "#222222", "#666666"


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
    count = max(len(dates) - 1, 1)

    def x(number: int) -> float:
        return MARGIN + number / count * (WIDTH - MARGIN - 12)

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
        f'<text x="{MARGIN - 6}" y="{y(value) + 4:.1f}" text-anchor="end" fill="{_INK}">{value:.4g}</text>'
        f'<line x1="{MARGIN}" x2="{WIDTH - 12}" y1="{y(value):.1f}" y2="{y(value):.1f}" stroke="#eee"/>'
        for value in (0.0, highest / 2.0, highest)
    ]
    days = [
        f'<text x="{x(n):.1f}" y="{HEIGHT - 10}" text-anchor="middle" fill="{_INK}">{_escaped(dates[n])}</text>'
        for n in sorted({0, count // 2, count} & set(range(len(dates))))
    ]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<text x="{MARGIN}" y="18" font-size="14">{_escaped(title)}</text>',
        *ticks,
        band(zero, [q[3] for q in quantiles], _BAND),
        band([q[0] for q in quantiles], [q[1] for q in quantiles], _BOLD_BAND),
        f'<polyline points="{line}" fill="none" stroke="{_LINE}" stroke-width="1.5"/>',
        *dots,
        *days,
        "</svg>",
    ]
    path.write_text("\n".join(parts) + "\n", encoding="utf-8")


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
