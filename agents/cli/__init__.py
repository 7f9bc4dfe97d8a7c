"""The command `restock`: finds the verb's module, runs it, and turns errors into one line and an exit code.

Every verb is a module `agents/cli/<verb>.py` with `register(subparsers)` and `run(args) -> int`; only the one that is
asked for is imported, so that `restock validate` starts without Faust or Kafka.
"""

import argparse
import importlib
import importlib.util
import keyword
import sys
from collections.abc import Sequence

from stream.errors import RestockError

VERBS = {
    "audit": "fold the ledger anew and compare with Redis",
    "dead-letters": "list, show, redrive what was refused",
    "demo": "a simulated shop and warehouse in a closed loop",
    "doctor": "check connection, versions, topics, clock and settings",
    "evaluate": "forecasts or policies over a demand history",
    "explain": "why a replenishment was ordered",
    "import": "CSV files to events",
    "item": "position, forecast, policy and last decisions of an item",
    "items": "list items",
    "local": "run a local Kafka and Valkey",
    "policies": "what acts, and what it would have cost",
    "policy": "freeze, approve, override",
    "publish": "publish events from JSON Lines",
    "rebuild": "make Redis anew from the ledger",
    "replenishments": "list replenishments",
    "schema": "JSON Schema, AsyncAPI, examples",
    "settings": "show and apply those that change the fold",
    "simulate": "run a scenario",
    "topics": "create and check the topics",
    "validate": "the contract's verdict line by line, without any broker",
    "worker": "run a worker",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 fine, 1 the answer is no, 2 wrong use, 3 a server is unreachable."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in arguments
    arguments = [word for word in arguments if word != "--debug"]
    wanted = next((word for word in arguments if not word.startswith("-")), None)
    parser = argparse.ArgumentParser(prog="restock", description="Learns demand and replenishes stock.")
    parser.add_argument("--debug", action="store_true", help="print the traceback of an error")
    subparsers = parser.add_subparsers(dest="verb", metavar="COMMAND", required=True)
    for verb, purpose in VERBS.items():
        if verb == wanted and importlib.util.find_spec(_module_name(verb)):
            importlib.import_module(_module_name(verb)).register(subparsers)
        elif importlib.util.find_spec(_module_name(verb)):
            subparsers.add_parser(verb, help=purpose)
    args = parser.parse_args(arguments)
    try:
        return int(importlib.import_module(_module_name(args.verb)).run(args))
    except RestockError as error:
        if debug:
            raise
        print(f"restock {args.verb}: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130


def _module_name(verb: str) -> str:
    name = verb.replace("-", "_")
    return f"{__name__}.{name}_" if keyword.iskeyword(name) else f"{__name__}.{name}"
