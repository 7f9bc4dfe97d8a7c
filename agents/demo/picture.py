"""The live picture: what goes through, how well the shop is served, what it costs, and one item's forecast."""

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from agents.demo.chart import EXPECTED, chart
from agents.demo.figures import DemoFigures
from agents.demo.goods import moment

OTHER_LINES = 20
"""What the picture needs beside the chart, and the prompt below it."""
LEAST_CHART, MOST_CHART = 3, 8


def picture(figures: DemoFigures, terminal_lines: int) -> RenderableType:
    """Draw the figures as they are, on a terminal of so many lines."""
    chart_lines = min(MOST_CHART, max(LEAST_CHART, terminal_lines - OTHER_LINES))
    columns = Table.grid(expand=True)
    columns.add_column(ratio=1)
    columns.add_column(ratio=1)
    columns.add_row(Panel(_flow(figures), title="flow"), Panel(_service(figures), title="service"))
    columns.add_row(
        Panel(_alerts(figures), title="open alerts"), Panel(_costs(figures), title="cost of stock and lost sales")
    )
    footer = Text(f"metrics {figures.metrics}   Ctrl-C stops everything", style="dim")
    return Group(_head(figures), columns, Panel(_demand(figures, chart_lines), title=_chart_title(figures)), footer)


def _head(figures: DemoFigures) -> RenderableType:
    head = Table.grid(expand=True, padding=(0, 1))
    head.add_column()
    head.add_column(ratio=1)
    head.add_column(justify="right")
    date = moment(max(0, figures.day - 1)).strftime("%a %d %b %Y")
    bar = ProgressBar(total=figures.days, completed=figures.day)
    head.add_row(Text(date, style="bold"), bar, f"day {figures.day} of {figures.days}, {figures.items} items")
    return head


def _flow(figures: DemoFigures) -> Table:
    return _pairs(
        ("events published", f"{figures.events:,}"),
        ("events/s", f"{figures.rate:,.0f}"),
        ("simulated days/s", f"{figures.day / max(figures.seconds, 1e-9):.1f}"),
        ("order lines", f"{figures.lines:,}"),
        ("reviews", f"{figures.reviews:,}"),
        ("replenishments", f"{figures.replenishments:,}"),
    )


def _service(figures: DemoFigures) -> Table:
    return _pairs(
        ("orders accepted", f"{figures.orders:,}"),
        ("orders refused, some in part", f"{figures.refused:,}"),
        ("units asked for", f"{figures.demand:,}"),
        ("stock-outs (item-days)", f"{figures.stock_outs:,}"),
        ("fill rate", f"{figures.fill_rate:.2%}"),
        ("with forecast × 1.2", f"{figures.reference_fill_rate:.2%}"),
    )


def _alerts(figures: DemoFigures) -> Table:
    kinds = sorted(figures.alerts_raised, key=figures.alerts_open.__getitem__, reverse=True)[:5]
    rows = [
        (kind.replace("_", " "), f"{figures.alerts_open[kind]:,} of {figures.alerts_raised[kind]:,}") for kind in kinds
    ]
    return _pairs(*rows, *[("", "")] * (5 - len(rows)))


def _costs(figures: DemoFigures) -> Table:
    ledger = figures.ledger
    return _pairs(
        (f"so far, decided by {figures.policy}", f"{figures.cost:,.0f} EUR"),
        ("with forecast × 1.2", f"{figures.reference:,.0f} EUR"),
        ("less than that", figures.saving),
        ("in the ledger: champion", f"{ledger.get('champion', 0.0):,.0f} EUR"),
        ("in the ledger: baseline", f"{ledger.get('baseline', 0.0):,.0f} EUR"),
    )


def _chart_title(figures: DemoFigures) -> str:
    return f"{figures.charted}: demand a day (█), forecast ({EXPECTED})"


def _demand(figures: DemoFigures, lines: int) -> Text:
    rows = chart([seen.demand for seen in figures.chart], [seen.forecast for seen in figures.chart], lines)
    return Text("\n".join(rows), no_wrap=True)


def _pairs(*rows: tuple[str, str]) -> Table:
    table = Table.grid(expand=True, padding=(0, 1))
    table.add_column()
    table.add_column(justify="right", style="bold", no_wrap=True)
    for name, value in rows:
        table.add_row(name, value)
    return table
