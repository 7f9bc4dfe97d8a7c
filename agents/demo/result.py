"""The end of a demo: its result table, what was checked, and how to go on with what it leaves behind."""

from collections.abc import Sequence

from agents.demo.checks import Check
from agents.demo.figures import DemoFigures
from agents.demo.system import DemoSystem


def table(figures: DemoFigures) -> list[str]:
    """What came of it, a line each."""
    raised = sum(figures.alerts_raised.values())
    fill_rates = f"{figures.fill_rate:.2%} (forecast × 1.2: {figures.reference_fill_rate:.2%})"
    return _aligned(
        ("days, items", f"{figures.days:,}, {figures.items:,}"),
        ("worked off in", f"{figures.seconds:.1f} s"),
        ("events", f"{figures.events:,} published ({figures.rate:,.0f}/s)"),
        ("orders", f"{figures.orders:,} accepted, {figures.refused:,} refused in part or whole"),
        ("order lines", f"{figures.lines:,}"),
        ("units asked for", f"{figures.demand:,}"),
        ("stock-outs", f"{figures.stock_outs:,} of {figures.reviews:,} item-days"),
        ("fill rate", fill_rates),
        ("replenishments", f"{figures.replenishments:,} for {figures.units_ordered:,} units"),
        ("alerts", f"{raised:,} raised, {sum(figures.alerts_open.values()):,} still open"),
        ("cost", f"{figures.cost:,.0f} EUR for stock and lost sales, decided by {figures.policy}"),
        ("  forecast × 1.2", f"{figures.reference:,.0f} EUR with the same demand, suppliers and forecaster"),
        ("  against that", f"{figures.saving} less"),
        ("  in shadow", figures.contest),
    )


def verdicts(checks: Sequence[Check]) -> list[str]:
    """Every check, with what was found."""
    return [f"{'✔' if check.kept else '✘'} {check.promise}: {check.found}" for check in checks]


def next_steps(system: DemoSystem, figures: DemoFigures, command: str) -> list[str]:
    """Commands that work on what the demo has left behind."""
    restock = f"{command} --config {system.config}"
    return [
        f'eval "$({command} local --dir {system.directory} --detach)"',
        f"{restock} items --alert low_stock",
        f"{restock} item {figures.charted}",
        f"{restock} explain {figures.last_replenishment}",
        f"{restock} replenishments --open",
        f"{restock} worker   # Ctrl-C stops it",
        f"{command} local stop --dir {system.directory}",
    ]


def _aligned(*rows: tuple[str, str]) -> list[str]:
    width = max(len(name) for name, _ in rows)
    return [f"{name:<{width}}  {value}" for name, value in rows]
