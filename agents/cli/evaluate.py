"""`restock evaluate forecasts`, `restock evaluate policies`: a demand history lived through as a worker would have.

Each is a module of its own beside this one, found by its name.
"""

import argparse
import importlib
import importlib.util
from typing import Any

KINDS = ("forecasts", "policies")


def register(subparsers: Any) -> None:
    """Declare what can be evaluated."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "evaluate",
        help="forecasts or policies over a demand history",
        epilog="example: restock evaluate policies history.csv --lead-time 4 --out P.csv",
    )
    kinds = parser.add_subparsers(dest="kind", metavar="KIND", required=True)
    for kind in KINDS:
        if importlib.util.find_spec(_module_name(kind)):
            importlib.import_module(_module_name(kind)).register(kinds)


def run(args: argparse.Namespace) -> int:
    """Evaluate it."""
    return int(importlib.import_module(_module_name(args.kind)).run(args))


def _module_name(kind: str) -> str:
    return f"agents.cli.evaluate_{kind}"
