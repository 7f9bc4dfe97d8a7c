"""`restock schema`: the contract as JSON Schema, as AsyncAPI, as examples, and as the pages of the documentation."""

import argparse
import difflib
import json
from pathlib import Path
from typing import Any

from agents.cli.terminal import print_table, warn
from stream.errors import WrongUse

EXAMPLES = """examples:
  restock schema                              every type, its topic, what it means
  restock schema order.placed                 its JSON Schema, with an example in it
  restock schema order.placed --example       a valid event on one line, to copy or to publish
  restock schema --asyncapi > asyncapi.json"""


def register(subparsers: Any) -> None:
    """Declare the command's arguments."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "schema",
        help="JSON Schema, AsyncAPI, examples",
        description="Prints the contract, made from the types the service itself decodes with.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("type", nargs="?", metavar="TYPE", help="an event type, such as order.placed; default: a list")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--example", action="store_true", help="a valid event instead of the schema; all without TYPE")
    what.add_argument("--asyncapi", action="store_true", help="the AsyncAPI 3 document of the whole contract")
    what.add_argument("--write", type=Path, metavar="DIR", help="write everything, with pages to read, to a directory")
    parser.add_argument("--json", action="store_true", help="for programs: the list as JSON")


def run(args: argparse.Namespace) -> int:
    """Print or write what was asked for."""
    from schemas.contract.asyncapi import document
    from schemas.contract.json_schema import TYPES, schema_of, summary_of, topic_of

    if args.type and args.type not in TYPES:
        near = difflib.get_close_matches(args.type, TYPES, n=1, cutoff=0.0)[0]
        raise WrongUse(f"TYPE={args.type} is no type of the contract: did you mean {near}?")
    if args.write:
        return _write(args.write)
    if args.asyncapi:
        _print_json(document())
    elif args.example:
        _print_examples(args.type)
    elif args.type:
        _print_json(schema_of(args.type))
    elif args.json:
        _print_json([{"type": name, "topic": topic_of(name), "meaning": summary_of(name)} for name in TYPES])
    else:
        print_table(("type", "topic", "meaning"), [(name, topic_of(name), summary_of(name)) for name in TYPES])
    return 0


def _print_json(value: Any) -> None:
    print(json.dumps(value, indent=2, ensure_ascii=False))


def _print_examples(name: str | None) -> None:
    from schemas.contract.examples import examples

    for event in examples():
        if name in {None, event["type"]}:
            print(json.dumps(event, ensure_ascii=False))


def _write(directory: Path) -> int:
    from schemas.contract.pages import pages

    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, text in pages().items():
            (directory / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise WrongUse(f"--write={directory} cannot be written ({error.strerror}): name another directory") from None
    warn(f"{len(pages())} files in {directory}")
    return 0
