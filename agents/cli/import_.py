"""`restock import`: CSV files to events: a shop's order history, items and their terms, opening counts; and back again.

Ids come from the data, so that a second import is a duplicate and changes nothing. Every import is a run: reported on
before anything is published, written down, and taken back by its name.
"""

import argparse
from pathlib import Path
from typing import Any

from agents.imports.runs import DIRECTORY
from agents.imports.table import zone
from stream.errors import WrongUse

ACTIONS = ("orders", "items", "stock", "history", "undo", "runs")


def _examples() -> str:
    from agents.cli.import_file import FIELDS

    fields = "\n".join(f"  {what:<8}{', '.join(FIELDS[what])}" for what in ("orders", "items", "stock"))
    return f"""fields (of history: those of orders):
{fields}
examples:
  restock import orders sales.csv --dry-run --map Artikel=sku --map Menge=quantity --map Datum=time --location BER1
  restock import items items.csv --out items.jsonl
  restock import stock counts.csv --as-of 2026-03-01T06:00:00Z
  restock import orders online_retail.csv.gz --preset uci --yes
  restock import history sales.csv --out history.csv       then: restock evaluate forecasts history.csv --horizon 7
  restock import undo orders-3f2a9c1b                      the name that the import printed; see: restock import runs"""


def register(subparsers: Any) -> None:
    """Declare the command's arguments."""
    from agents.cli.known_items import HELP

    parser: argparse.ArgumentParser = subparsers.add_parser(
        "import",
        help="CSV files to events",
        description="Turns a CSV file (.gz too) into events, reports on the data, and publishes them. It stops when "
        "something looks like a mistake: quantities far beyond an item's others, copies, gaps, odd spellings. "
        "history writes a demand history for `restock evaluate`; undo takes an import back; runs lists them.",
        epilog=_examples(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("what", choices=ACTIONS)
    add("file", type=Path, nargs="?", metavar="FILE", help="undo: the name of a run")
    add("--map", action="append", default=[], metavar="COLUMN=FIELD", help="repeat for each column")
    add("--preset", choices=["uci"], help="orders, history: UCI's Online Retail")
    add("--location", help="of rows that name none")
    add("--timezone", default="UTC", help="of moments without an offset; default: %(default)s")
    add("--time-format", metavar="FORMAT", help="as strptime takes it; default: ISO 8601")
    add("--as-of", metavar="MOMENT", help="stock: when it was counted; default: the file's time")
    add("--time", metavar="MOMENT", help="items: event time; default: the file's time")
    add("--source", default="import", help="of the events; with the id it identifies them")
    add("--dry-run", action="store_true", help="report only: nothing is published, written or connected to")
    add("--yes", action="store_true", help="go on although something is to look at")
    add("--rejected", type=Path, metavar="FILE", help="where refused rows go; default: beside the input")
    add("--known-items", metavar="WHERE", help=f"{HELP}; default: the system's, none in a dry run or with --out")
    add("--run", metavar="NAME", help="name of the run; default: made from file and options")
    add("--runs", type=Path, default=DIRECTORY, metavar="DIR", help="where runs are written down; default: %(default)s")
    add("--out", metavar="FILE", help="write JSON Lines (history: CSV) instead of publishing; - is standard output")
    add("--json", action="store_true", help="for programs: the report as JSON")


def run(args: argparse.Namespace) -> int:
    """Do what is asked."""
    if args.what == "runs":
        from agents.cli.import_undo import list_runs

        return list_runs(args)
    if args.file is None:
        what = "a run: see `restock import runs`" if args.what == "undo" else "a CSV file"
        raise WrongUse(f"import {args.what} needs {what}")
    if args.what == "undo":
        from agents.cli.import_undo import undo

        return undo(args)
    zone(args.timezone)
    if args.what == "history":
        from agents.cli.import_history import run as run_history

        return run_history(args)
    from agents.cli.import_publish import run as run_publish

    return run_publish(args)
