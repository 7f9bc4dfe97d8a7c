"""The command `restock`: finds the verb's module, runs it, and turns errors into one line and an exit code.

Every verb is a module `agents/cli/<verb>.py` with `register(subparsers)` and `run(args) -> int`; only the one that is
asked for is imported, so that `restock validate` starts without Faust or Kafka. `args` holds, beside the verb's own
arguments, `config`, the settings file named by `--config` or None.
"""

import argparse
import importlib
import importlib.util
import keyword
import os
import signal
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, NoReturn

from stream.errors import RestockError, Unreachable
from stream.faults import BrokerDown, StoreDown

VERBS = {
    "audit": "fold the ledger anew and compare with Redis",
    "dead-letters": "list, show, redrive, discard what was refused",
    "demo": "a simulated shop and warehouse in a closed loop",
    "doctor": "check connection, versions, topics, clock and settings",
    "evaluate": "forecasts or policies over a demand history",
    "explain": "why an item was ordered, or was not; why a replenishment was",
    "import": "CSV files to events",
    "item": "position, forecast, policy and last decisions of an item",
    "items": "list items",
    "local": "run a local Kafka and Valkey",
    "notify": "tell people of alerts and of proposals that wait",
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
WRONG_USE = 2
OUR_FAULT = 70
EPILOG = """These go with every command: --config FILE reads settings from FILE instead of restock.toml,
--debug prints the traceback of an error. Settings: the environment's RESTOCK_… wins over the file."""


class Parser(argparse.ArgumentParser):
    """An argument parser whose complaints are one line."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"allow_abbrev": False, **options})

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and where to read on."""
        self.exit(WRONG_USE, f"{self.prog}: {message}: see `{self.prog} --help`\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 fine, 1 the answer is no, 2 wrong use, 3 a server is unreachable."""
    everywhere = Parser(add_help=False)
    everywhere.add_argument("--debug", action="store_true")
    everywhere.add_argument("--config", type=Path)
    common, arguments = everywhere.parse_known_args(argv)
    args, unknown = _parser(arguments).parse_known_args(arguments, common)
    if unknown:
        Parser(prog=f"restock {args.verb}").error(f"unrecognized arguments: {' '.join(unknown)}")
    try:
        return int(importlib.import_module(_module_name(args.verb)).run(args))
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except BrokenPipeError:  # `restock items | head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except Exception as error:
        if args.debug:
            raise
        line, exit_code = _in_one_line(error)
        interrupted = _follows_ctrl_c(error)
        # Kafka's client makes a SystemError of a Ctrl-C that meets a callback: it says nothing more.
        if not interrupted or not isinstance(error, SystemError):
            print(f"restock {args.verb}: {line}", file=sys.stderr)
        return 128 + signal.SIGINT if interrupted else exit_code


def _follows_ctrl_c(error: BaseException | None) -> bool:
    """Whether a Ctrl-C caused the error, or what went wrong while the command ended because of one."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


def _parser(arguments: Sequence[str]) -> Parser:
    wanted = next((word for word in arguments if not word.startswith("-")), None)
    parser = Parser(
        prog="restock",
        description="Learns demand from a shop's events and replenishes its stock.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"restock {metadata.version('restock')}")
    subparsers = parser.add_subparsers(dest="verb", metavar="COMMAND", required=True)
    for verb, purpose in VERBS.items():
        if not importlib.util.find_spec(_module_name(verb)):
            continue
        if verb == wanted:
            importlib.import_module(_module_name(verb)).register(subparsers)
        else:
            subparsers.add_parser(verb, help=purpose)
    return parser


def _in_one_line(error: Exception) -> tuple[str, int]:
    if isinstance(error, RestockError):
        return str(error), error.exit_code
    kind, text = type(error).__name__, " ".join(str(error).split())
    if isinstance(error, StoreDown | BrokerDown):
        key = "RESTOCK_REDIS" if isinstance(error, StoreDown) else "RESTOCK_KAFKA"
        return f"{key} does not answer ({text}): run `restock doctor`", Unreachable.exit_code
    if type(error).__module__.partition(".")[0] in {"cimpl", "confluent_kafka", "redis", "aiokafka"}:
        return f"{kind}: {text}: run `restock doctor`", Unreachable.exit_code
    return f"{kind}: {text}: a fault of restock; please report it with the output of --debug", OUR_FAULT


def _module_name(verb: str) -> str:
    name = verb.replace("-", "_")
    return f"{__name__}.{name}_" if keyword.iskeyword(name) else f"{__name__}.{name}"
