"""`restock settings`: those that change the fold live in the ledger; show both sides, and apply the environment's."""

import argparse
import json
from typing import Any

from agents.cli.terminal import print_table, warn
from schemas.ledger import FoldSettings
from stream.errors import RestockError
from stream.kafka import ledger_state
from stream.setting_sources import load
from stream.settings import KNOWN_SETTINGS, PREFIX, Settings, show

EXAMPLES = """examples:
  restock settings show
  RESTOCK_LATENESS=10m restock settings apply    with the workers stopped; start them with the same setting"""


def register(subparsers: Any) -> None:
    """Declare the command's arguments."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "settings",
        help="show and apply those that change the fold",
        description="Settings that change the fold are part of the ledger, so that every replay sees the same.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("action", choices=["show", "apply"])
    parser.add_argument("--json", action="store_true", help="for programs")


def run(args: argparse.Namespace) -> int:
    """Do what `action` says."""
    settings = load(args.config)
    return _show(settings, as_json=args.json) if args.action == "show" else _apply(settings, as_json=args.json)


def _show(settings: Settings, *, as_json: bool) -> int:
    """Exit code 1 when the ledger follows others, or cannot be asked."""
    trouble = None
    try:
        stated: FoldSettings | None = ledger_state.ledger_state(settings).settings
    except RestockError as error:
        stated, trouble = None, error
    in_ledger = _written(stated) if stated else {}
    rows = [(shown.key, shown.value, in_ledger.get(shown.key, ""), shown.purpose) for shown in show(settings)]
    differing = [key for key, value, there, _ in rows if key in in_ledger and value != there]
    if as_json:
        keys = ("key", "value", "in_ledger", "purpose")
        print(json.dumps({"settings": [dict(zip(keys, row, strict=True)) for row in rows], "differing": differing}))
    else:
        print_table(("setting", "here", "in the ledger", ""), rows)
    if trouble is not None:
        raise trouble
    for key in differing:
        warn(f"{key} differs from the ledger: change it here, or run `restock settings apply`")
    return 1 if differing else 0


def _apply(settings: Settings, *, as_json: bool) -> int:
    changed = ledger_state.apply(settings)
    if as_json:
        print(json.dumps({"partitions_changed": changed}))
    elif changed:
        warn(f"{changed} ledger partitions follow these settings from here on")
    else:
        warn("the ledger follows these settings already")
    return 0


def _written(stated: FoldSettings) -> dict[str, str]:
    """The ledger's settings under the keys of the environment, as text."""
    fields = set(FoldSettings.__struct_fields__)
    values = {
        PREFIX + name.upper(): (known, getattr(stated, known.attribute))
        for name, known in KNOWN_SETTINGS.items()
        if known.attribute in fields
    }
    return {key: "" if value is None else known.kind.write(value) for key, (known, value) in values.items()}
