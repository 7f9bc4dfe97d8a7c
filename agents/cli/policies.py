"""`restock policies`: who decides where, what it has cost on the shadows' common demand, and what it saved."""

import argparse
import json
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from agents.cli.checkpoints import every_checkpoint
from agents.cli.terminal import print_table
from stream.setting_sources import load
from stream.settings import Settings

EXAMPLES = """examples:
  restock policies
  restock policies --items --fallen
  restock policies --json | jq '.[] | select(.saved_against_baseline < 0)'"""
CLASSES = ("A", "B", "C")


class Standing(msgspec.Struct):
    """How one item's policy stands."""

    item: str
    abc: str | None
    policy: str
    """Whom the item goes by."""
    acting: str | None
    """Who acted at the last review: the baseline where the champion has fallen."""
    fallen: bool = False
    periods: int = 0
    costs: dict[str, float] = {}
    """Of each contestant, on the same demand; empty where a policy has no contest."""


def register(subparsers: Any) -> None:
    """Declare the command's arguments."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "policies",
        help="what acts, and what it would have cost",
        description="Sums up, by class and policy, what contests found: shadow inventories of all met the same demand. "
        "Savings are the champion's, as shares of what the baseline and forecast x 1.2 would have cost.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--items", action="store_true", help="a line an item instead")
    parser.add_argument("--fallen", action="store_true", help="only where the champion has fallen back")
    parser.add_argument("--class", dest="abc", choices=CLASSES, help="of this class")
    parser.add_argument("--json", action="store_true", help="for programs: a JSON list")


def run(args: argparse.Namespace) -> int:
    """Print the table; an empty one is an answer too."""
    found = [
        standing
        for standing in standings(load(args.config))
        if (standing.fallen or not args.fallen) and args.abc in {None, standing.abc}
    ]
    rows = [_row([standing]) for standing in found] if args.items else summed(found)
    if args.json:
        print(json.dumps(rows))
        return 0
    first = ("item",) if args.items else ("class", "items")
    columns = (*first, "policy", "acting", "fallen", "saved against baseline", "saved against x 1.2")
    keys = [column.replace(" ", "_").replace("x_1.2", "reference") for column in columns]
    print_table(columns, [[_cell(row[key]) for key in keys] for row in rows], right=("items", *columns[-3:]))
    return 0


def standings(settings: Settings) -> Iterator[Standing]:
    """Every item of every shard, by name within a shard."""
    from agents.inventory.shelf import read_item

    for reader, shard in every_checkpoint(settings):
        classes = {name: read_item(data).abc for name, data in reader.scan(shard, "items")}
        for name, data in sorted(reader.scan(shard, "minds")):
            yield standing_of(name, classes.get(name), data)


def standing_of(item: str, abc: str | None, data: bytes) -> Standing:
    """Read one item's learning state."""
    from agents.core.learning_state import decode_learning_state
    from agents.policies.contest.contest import Contest
    from agents.policies.registry import POLICIES

    learning_state = decode_learning_state(data)
    acting = learning_state.record.policy
    for name in learning_state.stored.policies:
        contest = POLICIES[name]() if name in POLICIES else None
        if isinstance(contest, Contest):
            state = learning_state.peek(contest)
            costs = dict(contest.costs(state))
            return Standing(item, abc, name, acting, state.ledger.fallen, state.ledger.periods, costs)
    return Standing(item, abc, acting or "none yet", acting)


def summed(found: Iterable[Standing]) -> list[dict[str, Any]]:
    """Groups by class, policy and who acts.

    >>> rival = {"pil-q": 80.0, "pil": 100.0, "one-point-two": 160.0}
    >>> lived = Standing("A@X", "A", "pil-q", "pil-q", False, 30, rival)
    >>> rows = summed([lived, Standing("B@X", "A", "pil-q", "pil-q")])
    >>> [(row["class"], row["items"], row["saved_against_baseline"], row["saved_against_reference"]) for row in rows]
    [('A', 2, 0.2, 0.5)]
    """
    groups: dict[tuple[str, str, str], list[Standing]] = {}
    for standing in found:
        key = (standing.abc or "-", standing.policy, standing.acting or "-")
        groups.setdefault(key, []).append(standing)
    return [_row(groups[key]) for key in sorted(groups)]


def _row(group: list[Standing]) -> dict[str, Any]:
    """What several items, or one, come to."""
    from agents.policies.registry import BASELINE

    first = group[0]
    costs: dict[str, float] = {}
    for standing in group:
        for name, cost in standing.costs.items():
            costs[name] = costs.get(name, 0.0) + cost
    own = costs.get(first.policy)
    return {
        **({"item": first.item} if len(group) == 1 else {}),
        "class": first.abc or "-",
        "items": len(group),
        "policy": first.policy,
        "acting": first.acting or "-",
        "fallen": sum(standing.fallen for standing in group),
        "costs": costs,
        "saved_against_baseline": _saved(own, costs.get(BASELINE)),
        "saved_against_reference": _saved(own, costs.get("one-point-two")),
    }


def _saved(own: float | None, other: float | None) -> float | None:
    return round(1.0 - own / other, 4) if own is not None and other else None


def _cell(value: Any) -> str:
    return "-" if value is None else f"{value:.1%}" if isinstance(value, float) else str(value)
