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
        ("proposals", f"{figures.proposals:,} beyond what facts explain, declined"),
        ("stock", f"{figures.days_of_supply:.1f} days of supply on average"),
        (
            "alerts",
            f"{figures.alert_rate:.1f} for people per 100 items and day; {raised:,} raised with those for information",
        ),
        ("  open at the end", _open(figures)),
        ("cost", f"{figures.cost:,.0f} EUR for stock and lost sales, decided by {figures.policy}"),
        ("  forecast × 1.2", f"{figures.reference:,.0f} EUR with the same demand, suppliers and forecaster"),
        ("  against that", f"{figures.saving} less"),
        ("  best constant levels", f"{figures.hindsight:,.0f} EUR, each item's chosen afterwards"),
        ("  in shadow", figures.contest),
        ("  champion there", figures.cheapest_shadow),
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


def _open(figures: DemoFigures) -> str:
    shares = [f"{kind} {count / figures.items:.0%}" for kind, count in figures.alerts_open.most_common() if count]
    return (", ".join(shares) + " of the items") if shares else "none"


def _aligned(*rows: tuple[str, str]) -> list[str]:
    width = max(len(name) for name, _ in rows)
    return [f"{name:<{width}}  {value}" for name, value in rows]
