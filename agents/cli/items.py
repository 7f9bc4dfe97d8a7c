"""`restock items`: every item in a line, or those with an alert or of a class."""

import argparse
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, get_args

from agents.cli.checkpoints import every_checkpoint
from agents.cli.terminal import print_table
from schemas.outbound import AlertKind
from stream.errors import WrongUse
from stream.setting_sources import load
from stream.settings import Settings

if TYPE_CHECKING:
    from agents.inventory.position import Item

KINDS = get_args(AlertKind)
EXAMPLES = """examples:
  restock items --alert low_stock
  restock items --class A --json"""


def register(subparsers: Any) -> None:
    """Declare the command's arguments."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "items",
        help="list items",
        description="Lists items as their checkpoints have them, in the order of their names.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--alert", metavar="KIND", help=f"with an open alert: any, {', '.join(KINDS)}")
    parser.add_argument("--class", dest="abc", choices=["A", "B", "C"], help="of this class")
    parser.add_argument("--json", action="store_true", help="for programs: a JSON line each")


def run(args: argparse.Namespace) -> int:
    """List; an empty list is an answer too."""
    if args.alert not in {None, "any", *KINDS}:
        raise WrongUse(f"--alert {args.alert} is no kind of alert: use any, {', '.join(KINDS)}")
    rows = sorted(
        (_row(name, item) for name, item in every_item(load(args.config)) if _wanted(item, args)),
        key=lambda row: row["item"],
    )
    if args.json:
        for row in rows:
            print(json.dumps(row, ensure_ascii=False))
        return 0
    columns = ("item", "class", "on_hand", "available", "on_order", "position", "reorder_point", "alerts")
    table = [[_cell(row[column]) for column in columns] for row in rows]
    print_table(
        [column.replace("_", " ") for column in columns],
        table,
        right=("on hand", *columns[3:6], "on order", "reorder point"),
    )
    return 0


def every_item(settings: Settings) -> Iterator[tuple[str, "Item"]]:
    """Every item of every shard."""
    from agents.inventory.shelf import read_item

    for reader, shard in every_checkpoint(settings):
        for name, data in reader.scan(shard, "items"):
            yield name, read_item(data)


def _wanted(item: "Item", args: argparse.Namespace) -> bool:
    kinds = {episode.kind for episode in item.alerts}
    alerted = bool(kinds) if args.alert == "any" else args.alert is None or args.alert in kinds
    return alerted and args.abc in {None, item.abc}


def _row(name: str, item: "Item") -> dict[str, Any]:
    from agents.inspection.item import stock

    return {
        "item": name,
        "class": item.abc,
        **stock(item),
        "reorder_point": item.reorder_point,
        "alerts": [episode.kind for episode in item.alerts],
    }


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(value)
    return "" if value is None else str(value)
