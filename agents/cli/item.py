"""`restock item`: everything known of an item: position, open orders, forecast, levels, last decisions, alerts."""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from agents.cli.terminal import bold, warn
from stream.errors import WrongUse
from stream.setting_sources import load
from stream.settings import Settings

if TYPE_CHECKING:
    from agents.inspection.item import CheckpointedItem
    from stream.checkpoint.reader import CheckpointReader

EXAMPLES = """examples:
  restock item TEA-01@BER1
  restock item TEA-01@BER1 MUG-07@BER1 --json
  restock items --json --class A | jq -r .item | restock item - --json"""
UNKNOWN = "nothing was published about it, or no worker has read it yet; or Redis lost it, as `restock doctor` says"


def register(subparsers: Any) -> None:
    """Declare the command's arguments."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "item",
        help="position, forecast, policy and last decisions of an item",
        description="Shows items as their checkpoint has them; as_of says up to where that is.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("items", nargs="+", metavar="SKU@LOCATION", help="- reads a list from standard input")
    parser.add_argument("--json", action="store_true", help="for programs: a JSON line each")


def run(args: argparse.Namespace) -> int:
    """Exit code 1 when an item is unknown."""
    unknown = 0
    for name, seen in seen_items(load(args.config), _names(args.items)):
        if seen is None:
            unknown += 1
            warn(f"restock item: {name} is unknown: {UNKNOWN}")
        elif args.json:
            print(json.dumps(seen, ensure_ascii=False))
        else:
            print("\n".join(_lines(seen)))
    return 1 if unknown else 0


def seen_items(settings: Settings, names: Iterable[str]) -> Iterator[tuple[str, dict[str, Any] | None]]:
    """Look items up, each as of one moment; None for those that are unknown."""
    from agents.inspection.item import SHARED, fields_of, fields_of_others, item_as_json
    from stream.checkpoint.reader import CheckpointReader

    with CheckpointReader(settings) as reader:
        for name in names:
            found = checkpointed(reader, settings, name, fields_of(name))
            others = fields_of_others(found) if found else ()
            stored = checkpointed(reader, settings, name, {**fields_of(name), "shared": (*SHARED, *others)})
            yield name, item_as_json(stored) if stored else None


def checkpointed(
    reader: "CheckpointReader", settings: Settings, name: str, fields: Mapping[str, Sequence[str] | None]
) -> "CheckpointedItem | None":
    """An item as its checkpoint has it, with these fields; None where its shard has no checkpoint."""
    from agents.inspection.item import CheckpointedItem

    partition = settings.place(name)
    found = reader.look(partition, fields)
    return found and CheckpointedItem(name, partition, found.next, settings.fold_settings(), found.tables)


def _names(words: Iterable[str]) -> Iterator[str]:
    for word in words:
        for name in (line.strip() for line in sys.stdin) if word == "-" else (word,):
            if name and ("@" not in name):
                raise WrongUse(f"{name} is no item: write it as SKU@LOCATION, such as TEA-01@BER1")
            if name:
                yield name


def _lines(seen: dict[str, Any]) -> Iterator[str]:
    """For people."""
    stock, levels, forecast = seen["stock"], seen["levels"], seen["forecast"]
    yield bold(f"{seen['item']}  (class {seen['class']}, policy {seen['policy']})")
    if not stock["known"]:
        yield "  stock      unknown: never counted, received or adjusted; nothing is ordered until it is"
    broken_down = ", ".join(
        f"{stock[part]} {part.replace('_', ' ')}" for part in ("on_hand", "allocated", "backorders")
    )
    yield f"  stock      {broken_down}; {stock['available']} available"
    yield f"  position   {stock['position']} with {stock['on_order']} on order"
    for order in [*seen["open_replenishments"], *seen["transfers"]]:
        yield "    {replenishment_id}: {quantity} {status}, {received} received, due {due}".format(**order)
    if forecast:
        quantiles = ", ".join(f"{value:.1f} at {level}" for level, value in forecast["quantiles"].items())
        yield f"  forecast   {forecast['mean']:.1f} in {round(forecast['horizon_days'], 1):g} days ({quantiles})"
    for lately in seen["lead_times"]:
        yield f"  deliveries {_deliveries(**lately)}"
    if levels["reorder_point"] is not None:
        yield (
            "  levels     order at {reorder_point} up to {order_up_to}; safety stock {safety_stock}; low stock from "
            "{low_stock} down".format(**levels)
            + ("" if levels["overstock"] is None else f", overstock from {levels['overstock']} up")
        )
    yield from _outlook(seen)
    yield from term_lines(seen)
    for alert in seen["alerts"]:
        yield f"  alert      {alert['kind']} since {alert['since']}"
    for decision in seen["decisions"]:
        verb = "proposed" if decision["proposed"] else "ordered"
        yield f"  decision   {verb} {decision['quantity']} at {decision['decided_at']}"
        yield f"             restock explain {decision['replenishment_id']}"
    as_of = seen["as_of"]
    yield f"  as of      {as_of['time']}, ledger partition {as_of['partition']} offset {as_of['offset']}"


def _outlook(seen: dict[str, Any]) -> Iterator[str]:
    """When stock runs out, and whether orders wait."""
    if seen["projected_stock_out"] and seen["stock"]["available"] > 0:
        yield f"  runs out   {seen['projected_stock_out'][:10]}, if nothing arrives before"
    if hold := seen["hold"]:
        orders = "the last order" if hold["refusals"] < 2 else f"{hold['refusals']} orders in a row"
        yield f"  held       {orders} came to nothing; reviews on order days till it ends: {hold['reviews']}"


def term_lines(seen: dict[str, Any]) -> Iterator[str]:
    """The terms that hold by where they come from, what a lost sale costs by them, and what is wrong with them.

    >>> terms = {"price": {"value": 4.9, "from": "item"}, "capacity": {"value": None, "from": "default"}}
    >>> lost_sale = {"cost": "2.80 EUR", "from": "margin"}
    >>> list(term_lines({"terms": terms, "lost_sale": lost_sale, "warnings": []}))
    ['  terms      item: price 4.9', '             a lost sale costs 2.80 EUR a unit (margin)']
    """
    heading = "terms"
    for origin in ("item", "supplier", "class", "price", "default"):
        stated = {name: term["value"] for name, term in seen["terms"].items() if term["from"] == origin}
        shown = [f"{name} {_value(value)}" for name, value in stated.items() if value not in (None, ())]
        if shown:
            yield f"  {heading:<10} {origin}: {', '.join(shown)}"
            heading = ""
    basis = seen["lost_sale"]["from"].replace("_", " ")
    yield f"  {heading:<10} a lost sale costs {seen['lost_sale']['cost']} a unit ({basis})"
    for warning in seen["warnings"]:
        yield f"  warning    {warning}"


def _value(value: Any) -> str:
    if isinstance(value, list | tuple):
        return " ".join(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _deliveries(supplier: str | None, mean_days: float | None, longest_days: float | None, lost_share: float) -> str:
    """What a supplier did lately.

    >>> _deliveries("acme", 2.5, 4.0, 0.2), _deliveries(None, None, None, 1.0)
    ('acme took 2.5 days on average, 4 at the longest; 20% never came', 'nothing came')
    """
    who = f"{supplier} " if supplier else ""
    if mean_days is None:
        return f"nothing came{' from ' + supplier if supplier else ''}"
    lost = f"; {lost_share:.0%} never came" if lost_share >= 0.005 else ""
    return f"{who}took {mean_days:.1f} days on average, {longest_days:g} at the longest{lost}"
