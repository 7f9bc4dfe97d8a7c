"""Draws a dashboard from what Prometheus answered, with the project's own plotting: two panels side by side.

Grafana draws better and lets one look closer; these show what there is to see, and that there is something.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from agents.cli import svg
from deploy.grafana.as_grafana import COLOURS
from deploy.grafana.panel import Dashboard, Limit, Panel, Query, Unit
from tests.drill.monitoring import Series

TOP, GAP = 70, 16
LINES_HEIGHT, NUMBERS_HEIGHT, SECTION_HEIGHT = 176, 74, 30
PALETTE = ("#1c6db0", "#e07b00", "#2a8f5b", "#8e44ad", "#c0392b", "#7f6a4d", "#d264a8", "#5f6b76")
MOST_NAMES = 8
INK, FAINT = "#222222", "#777777"
SIZES: dict[Unit, tuple[tuple[float, str], ...]] = {
    "s": ((86400 * 365, " years"), (86400, " d"), (3600, " h"), (60, " min"), (1, " s"), (0.001, " ms")),
    "bytes": ((2**30, " GiB"), (2**20, " MiB"), (2**10, " KiB"), (1, " B")),
    "percentunit": ((0.01, " %"),),
    "cps": ((1, "/s"),),
}


@dataclass(frozen=True)
class QueryAnswer:
    """A query, and what Prometheus answered."""

    query: Query
    series: list[Series]


@dataclass(frozen=True)
class WatchedFault:
    """Something that happened meanwhile."""

    what: str
    began: float
    ended: float


@dataclass(frozen=True)
class PicturePlace:
    """Where a panel stands."""

    left: float
    top: float
    width: float
    height: float


def draw(
    path: Path,
    dashboard: Dashboard,
    answers: Sequence[Sequence[QueryAnswer]],
    faults: Sequence[WatchedFault],
    watched: tuple[float, float],
) -> None:
    """One picture of a whole dashboard."""
    found, parts, top = iter(answers), [_subtitle(dashboard, faults)], float(TOP)
    for section in dashboard.sections:
        parts.append(_text(svg.MARGIN / 4, top + 12, section.title, 13, INK, bold=True))
        top += SECTION_HEIGHT - 8
        for row in _rows(section.panels):
            height = NUMBERS_HEIGHT if row[0].now else LINES_HEIGHT
            for column, panel in enumerate(row):
                parts += _panel(panel, next(found), _place(column, row, top, height), faults, watched)
            top += height + GAP
    svg.write(path, round(top), dashboard.title, parts)


def readable(value: float, unit: Unit) -> str:
    """A number with its unit, short.

    >>> readable(0.0213, "percentunit"), readable(0.004, "s"), readable(12345, "short"), readable(1, "bool_yes_no")
    ('2.1 %', '4 ms', '12,345', 'yes')
    """
    if unit == "bool_yes_no":
        return {0.0: "no", 1.0: "yes"}.get(value, "")
    sizes = SIZES.get(unit, ((1, ""),))
    size, name = next((each for each in sizes if abs(value) >= each[0]), sizes[-1])
    number = value / size
    text = f"{number:,.0f}" if abs(number) >= 100 or number == round(number) else f"{number:.2g}"
    return text + (name if value or unit == "percentunit" else "")


def _subtitle(dashboard: Dashboard, faults: Sequence[WatchedFault]) -> str:
    told = " · ".join(f"{letter}: {fault.what}" for letter, fault in zip("abcdefgh", faults, strict=False))
    return _text(svg.MARGIN, 36, dashboard.description, 12, FAINT) + _text(svg.MARGIN, 54, told, 11, FAINT)


def _rows(panels: Sequence[Panel]) -> Iterator[list[Panel]]:
    """Four panels of numbers in a row, or two of lines."""
    row: list[Panel] = []
    for panel in panels:
        if row and (row[0].now != panel.now or len(row) == (4 if panel.now else 2)):
            yield row
            row = []
        row.append(panel)
    yield row


def _place(column: int, row: Sequence[Panel], top: float, height: float) -> PicturePlace:
    across = svg.WIDTH - 2 * GAP
    count = 4 if row[0].now else 2
    width = (across - GAP * (count - 1)) / count
    return PicturePlace(GAP + column * (width + GAP), top, width, height)


def _panel(
    panel: Panel,
    answers: Sequence[QueryAnswer],
    place: PicturePlace,
    faults: Sequence[WatchedFault],
    watched: tuple[float, float],
) -> Iterator[str]:
    yield (
        f'<rect x="{place.left:.0f}" y="{place.top:.0f}" width="{place.width:.0f}" height="{place.height:.0f}" rx="3" '
        'fill="none" stroke="#dddddd"/>'
    )
    yield _text(place.left + 8, place.top + 16, panel.title, 11 if panel.now else 12, INK)
    named = [(_name(answer.query, series), series) for answer in answers for series in answer.series]
    named.sort(key=lambda each: each[0])
    if panel.now:
        yield from _numbers(panel, named, place)
    elif named:
        yield from _lines(panel, named, place, faults, watched)
    else:
        yield _text(place.left + place.width / 2, place.top + place.height / 2, "nothing", 12, FAINT, anchor="middle")
        why = next((answer.query.empty for answer in answers if answer.query.empty), "")
        yield _text(place.left + place.width / 2, place.top + place.height / 2 + 16, why, 10, FAINT, anchor="middle")


def _name(query: Query, series: Series) -> str:
    return re.sub(r"\{\{(\w+)\}\}", lambda found: series.labels.get(found[1], ""), query.legend)


def _numbers(panel: Panel, named: Sequence[tuple[str, Series]], place: PicturePlace) -> Iterator[str]:
    """The newest number of each series, coloured as its limits say."""
    for number, (name, series) in enumerate(named):
        value = series.points[-1][1]
        left = place.left + 8 + number * (place.width - 12) / len(named)
        yield _text(left, place.top + 44, readable(value, panel.unit), 20, _colour(panel.limits, value))
        yield _text(left, place.top + 62, name, 9, FAINT)


def _colour(limits: Sequence[Limit], value: float) -> str:
    if not limits:
        return INK
    beyond = [limit for limit in limits if (value < limit.line if limit.below else value >= limit.line)]
    return COLOURS[beyond[-1].severity] if beyond else "green"


def _lines(
    panel: Panel,
    named: Sequence[tuple[str, Series]],
    place: PicturePlace,
    faults: Sequence[WatchedFault],
    watched: tuple[float, float],
) -> Iterator[str]:
    """The series over time, limits that are in sight, and when something happened."""
    values = [value for _, series in named for _, value in series.points]
    low, high = min(0.0, *values), max(0.0, *values)
    seen = [limit for limit in panel.limits if limit.line <= max(1.5 * high, 1 if panel.unit == "short" else 0)]
    high = max([high, *(limit.line for limit in seen)]) or 1.0
    began, ended = watched
    rows = _laid_out([name for name, _ in named], place.width - 16)
    names_top = place.top + place.height + 4 - 12 * len(rows)
    left, right, roof, floor = place.left + 52, place.left + place.width - 10, place.top + 30, names_top - 28

    def x(at: float) -> float:
        return left + (at - began) / max(ended - began, 1.0) * (right - left)

    def y(value: float) -> float:
        return floor - (value - low) / (high - low) * (floor - roof)

    for letter, fault in zip("abcdefgh", faults, strict=False):
        yield (
            f'<rect x="{x(fault.began):.1f}" y="{roof:.1f}" width="{x(fault.ended) - x(fault.began):.1f}" '
            f'height="{floor - roof:.1f}" fill="#f3f3f3"/>'
        )
        yield _text(x(fault.began) + 2, roof + 9, letter, 9, FAINT)
    for value in sorted({low, (low + high) / 2, high} if panel.unit != "bool_yes_no" else {0.0, 1.0}):
        yield f'<path d="M{left:.1f} {y(value):.1f}H{right:.1f}" stroke="#e5e5e5"/>'
        yield _text(left - 5, y(value) + 3, readable(value, panel.unit), 9, FAINT, anchor="end")
    for limit in seen:
        colour = COLOURS[limit.severity]
        yield f'<path d="M{left:.1f} {y(limit.line):.1f}H{right:.1f}" stroke="{colour}" stroke-dasharray="4 3"/>'
    for at, name, anchor in ((began, f"{(ended - began) / 60:.0f} min ago", "start"), (ended, "now", "end")):
        yield _text(x(at), floor + 12, name, 9, FAINT, anchor=anchor)
    for number, (_, series) in enumerate(named):
        yield _line(series, PALETTE[number % len(PALETTE)], x, y)
    yield from _names(rows, place, names_top)


def _line(series: Series, colour: str, x: Callable[[float], float], y: Callable[[float], float]) -> str:
    """A line that ends where there were no numbers, without the points between equal ones."""
    runs: list[list[tuple[float, float]]] = []
    for point in series.points:
        if not runs or point[0] - runs[-1][-1][0] > 3 * _step(series):
            runs.append([])
        if len(runs[-1]) > 1 and runs[-1][-2][1] == runs[-1][-1][1] == point[1]:
            runs[-1].pop()
        runs[-1].append(point)
    drawn = "".join("M" + "L".join(f"{x(at):.1f} {y(value):.1f}" for at, value in run) for run in runs)
    return f'<path d="{drawn}" fill="none" stroke="{colour}" stroke-width="1.3"/>'


def _step(series: Series) -> float:
    between = [later - earlier for (earlier, _), (later, _) in zip(series.points, series.points[1:], strict=False)]
    return min(between, default=1.0)


def _laid_out(names: Sequence[str], width: float) -> list[list[str]]:
    """The names of the lines, in as many rows as they need."""
    shown = list(names[:MOST_NAMES])
    if len(names) > MOST_NAMES:
        shown[-1] = f"and {len(names) - MOST_NAMES + 1} more"
    rows: list[list[str]] = [[]]
    for name in shown:
        if sum(map(_wide, [*rows[-1], name])) > width:
            rows.append([])
        rows[-1].append(name)
    return rows


def _wide(name: str) -> float:
    return 22 + 5.6 * len(name)


def _names(rows: Sequence[Sequence[str]], place: PicturePlace, top: float) -> Iterator[str]:
    """The names of the lines, in their colours."""
    colours = iter(PALETTE)
    for number, row in enumerate(rows):
        left, height = place.left + 8, top + number * 12
        for name in row:
            yield f'<circle cx="{left + 3:.1f}" cy="{height - 3:.1f}" r="3" fill="{next(colours)}"/>'
            yield _text(left + 9, height, name, 9, INK)
            left += _wide(name)


def _text(left: float, top: float, text: str, size: int, colour: str, *, anchor: str = "", bold: bool = False) -> str:
    styled = f'font-size="{size}" fill="{colour}"' + f' text-anchor="{anchor}"' * bool(anchor)
    styled += ' font-weight="bold"' * bold
    return f'<text x="{left:.1f}" y="{top:.1f}" {styled}>{escape(text, quote=False)}</text>'
