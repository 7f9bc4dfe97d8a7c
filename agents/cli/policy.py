"""`restock policy`: who decides for an item, said by a `catalog` event like every other of its terms.

So it holds from the item's next review on, and a replay of the ledger decides the same.
"""

import argparse
import json
import uuid
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any

from agents.cli.item import UNKNOWN, seen_items
from agents.cli.terminal import warn
from schemas.quantities import split_item
from stream.errors import WrongUse
from stream.kafka.event_publisher import EventPublisher
from stream.setting_sources import load

EXAMPLES = """examples:
  restock policy set TEA-01@BER1 base-stock     base-stock decides from the next review on
  restock policy unset TEA-01@BER1              the default again
  restock policy freeze TEA-01@BER1             its reorder point and level stay as they are now; `unfreeze` lets go
  restock policy approve TEA-01@BER1            decisions are proposals until acknowledged; `act` orders outright"""
VERBS = {
    "set": "let a policy of this name decide",
    "unset": "let the default policy decide",
    "freeze": "hold the present levels; what was learned is given up",
    "unfreeze": "let levels move again",
    "approve": "make proposals that somebody has to approve",
    "act": "order outright",
}


def register(subparsers: Any) -> None:
    """Declare the command's arguments."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "policy",
        help="freeze, approve, override",
        description="Publishes `item.configured` on the topic `catalog`: it holds from the item's next review on.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(dest="what", metavar="VERB", required=True)
    for verb, shown in VERBS.items():
        one = verbs.add_parser(verb, help=shown, description=shown)
        one.add_argument("item", metavar="SKU@LOCATION")
        if verb == "set":
            one.add_argument("name", metavar="NAME", help="as in docs/concepts/policies.md, such as pil-q or min-max")


def run(args: argparse.Namespace) -> int:
    """Publish the event; exit code 1 when the item is unknown, or has no levels to hold yet."""
    settings = load(args.config)
    if "@" not in args.item:
        raise WrongUse(f"{args.item} is no item: write it as SKU@LOCATION, such as TEA-01@BER1")
    if args.what == "set":
        _known(args.name)
    seen = dict(seen_items(settings, [args.item]))[args.item]
    if seen is None:
        warn(f"restock policy: {args.item} is unknown: {UNKNOWN}")
        return 1
    if args.what == "freeze" and seen["levels"]["order_up_to"] is None:
        warn(f"restock policy: {args.item} has no levels to hold: it was not reviewed yet")
        return 1
    terms = terms_for(args.what, getattr(args, "name", None), seen["levels"])
    with EventPublisher(settings) as publisher:
        publisher.send("catalog", args.item, event(args.item, terms, str(uuid.uuid4()), datetime.now(UTC)))
    shown = ", ".join(f"{key} {'default' if value is None else value}" for key, value in terms.items())
    print(f"{args.item}: {shown}, from its next review on")
    return 0


def terms_for(verb: str, name: str | None, levels: dict[str, int | None]) -> dict[str, Any]:
    """What the event states; null puts a field back to its default.

    >>> terms_for("set", "pil", {}), terms_for("act", None, {})
    ({'policy': 'pil'}, {'mode': 'act'})
    >>> terms_for("freeze", None, {"reorder_point": 4, "order_up_to": 9})
    {'policy': 'min-max', 'reorder_point': 4, 'order_up_to': 9}
    """
    if verb in {"set", "unset"}:
        return {"policy": name}
    if verb == "freeze":
        lowest = max(0, levels["reorder_point"] or 0)
        highest = max(lowest + 1, levels["order_up_to"] or 0)
        return {"policy": "min-max", "reorder_point": lowest, "order_up_to": highest}
    if verb == "unfreeze":
        return {"policy": None, "reorder_point": None, "order_up_to": None}
    return {"mode": verb}


def event(item: str, terms: dict[str, Any], name: str, now: datetime) -> bytes:
    """The CloudEvent, in structured mode."""
    sku, location = split_item(item)
    attributes = {"specversion": "1.0", "id": f"policy-{name}", "source": "restock-policy", "type": "item.configured"}
    time = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return json.dumps({**attributes, "time": time, "data": {"sku": sku, "location": location, **terms}}).encode()


def _known(name: str) -> None:
    from agents.policies.registry import POLICIES

    if name not in POLICIES:
        near = get_close_matches(name, POLICIES, 1)
        cure = f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(POLICIES))}"
        raise WrongUse(f"no policy is called {name!r}: {cure}")
