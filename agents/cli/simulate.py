"""`restock simulate`: a scenario in which policies try themselves side by side, without any server."""

import argparse
from pathlib import Path
from typing import Any

from agents.cli.evaluate_policies import COLUMNS, report
from agents.cli.rows import beside, written
from agents.cli.terminal import progress
from stream.errors import WrongUse

EXAMPLES = """examples:
  restock simulate steady
  restock simulate unreliable-supplier --days 180 --json
  restock simulate mine.toml --out P.csv        fields as in agents/simulation/scenario.py"""


def register(subparsers: Any) -> None:
    """Declare the command's arguments."""
    from agents.simulation.scenario import NAMED

    parser: argparse.ArgumentParser = subparsers.add_parser(
        "simulate",
        help="run a scenario",
        description="A simulated shop, its suppliers and costs; each policy has its own shelf, and all meet the same "
        f"demand and lead times. Scenarios: {', '.join(NAMED)}, or a TOML file.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("scenario", metavar="SCENARIO", help="a name, or a TOML file")
    for name in ("items", "days", "seed"):
        parser.add_argument(f"--{name}", type=int, help=f"instead of the scenario's own {name}")
    parser.add_argument("--policies", help="names, with commas, instead of the scenario's own")
    parser.add_argument("--out", type=Path, metavar="P.csv", help="a row per item, period and policy")
    parser.add_argument("--json", action="store_true", help="for programs: one JSON object")


def run(args: argparse.Namespace) -> int:
    """Play it, write the rows, print the table."""
    from agents.forecasting.base import Rhythm
    from agents.forecasting.registry import FORECASTERS
    from agents.policies.registry import POLICIES
    from agents.simulation.scenario import play
    from agents.simulation.totals import RunTotals

    scenario = _scenario(args)
    for kind, names, known in (
        ("policy", scenario.policies, POLICIES),
        ("forecaster", (scenario.forecaster,), FORECASTERS),
    ):
        if unknown := [name for name in names if name not in known]:
            raise WrongUse(f"no {kind} is called {unknown[0]!r}: there are {', '.join(sorted(known))}")
    policies = {name: POLICIES[name]() for name in scenario.policies}
    totals = {name: RunTotals() for name in policies}
    rows = play(scenario, FORECASTERS[scenario.forecaster](Rhythm()), policies)
    count = scenario.items * scenario.days * len(policies)
    with written(args.out, COLUMNS) as write, progress("periods", count) as progressed:
        for number, row in enumerate(rows, start=1):
            write([row.item, row.period, *row[2:9], f"{row.cost:.6g}"])
            totals[row.policy].add(row)
            progressed(number)
    report(totals, {}, as_json=args.json, to=beside(args.out))
    return 0


def _scenario(args: argparse.Namespace) -> Any:
    import msgspec

    from agents.simulation.scenario import NAMED, Scenario, read

    scenario = NAMED.get(args.scenario)
    try:
        scenario = scenario or read(Path(args.scenario))
        given = {name: getattr(args, name) for name in ("items", "days", "seed") if getattr(args, name) is not None}
        if args.policies:
            given["policies"] = args.policies.split(",")
        return msgspec.convert(msgspec.to_builtins(scenario) | given, Scenario)
    except OSError as error:
        raise WrongUse(f"{args.scenario} is no scenario ({error.strerror}): there are {', '.join(NAMED)}") from None
    except (ValueError, msgspec.MsgspecError) as error:
        raise WrongUse(f"{args.scenario} is no scenario: {error}") from None
