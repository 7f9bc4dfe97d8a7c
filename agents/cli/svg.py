"""The frame of a picture over time as SVG: no library, no fonts to find, small enough to lie in a repository."""

from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path

WIDTH, MARGIN = 860, 46
RIGHT = WIDTH - 12


def across(periods: int) -> Callable[[int], float]:
    """Where a period stands from left to right."""
    count = max(periods - 1, 1)
    return lambda number: MARGIN + number / count * (RIGHT - MARGIN)


def label(value: float, y: float, style: str) -> str:
    """A number at the left edge."""
    return f'<text x="{MARGIN - 6}" y="{y + 4:.1f}" text-anchor="end" {style}>{value:.4g}</text>'


def days(dates: Sequence[str], height: int, style: str) -> list[str]:
    """The first date, one in the middle, and the last, at the foot; the outer ones grow inwards and are not cut."""
    count, x = max(len(dates) - 1, 1), across(len(dates))
    anchors = {0: "start", count: "end"}
    return [
        f'<text x="{x(n):.1f}" y="{height - 10}" text-anchor="{anchors.get(n, "middle")}" {style}>'
        f"{escape(dates[n], quote=False)}</text>"
        for n in sorted({0, count // 2, count} & set(range(len(dates))))
    ]


def write(path: Path, height: int, title: str, parts: Sequence[str]) -> None:
    """Write the picture beneath its title."""
    framed = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif">',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        f'<text x="{MARGIN}" y="18" font-size="14">{escape(title, quote=False)}</text>',
        *parts,
        "</svg>",
    ]
    path.write_text("\n".join(framed) + "\n", encoding="utf-8")
