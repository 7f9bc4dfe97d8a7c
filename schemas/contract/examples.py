"""One valid event of every type, as shipped in `examples.jsonl`: for documentation, tests, and producers to copy.

>>> example("stock.counted")["data"]["counted"]
120
"""

import json
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def _lines() -> tuple[str, ...]:
    return tuple(files("schemas.contract").joinpath("examples.jsonl").read_text(encoding="utf-8").splitlines())


def examples() -> list[dict[str, Any]]:
    """Every example, in the order of the contract."""
    return [json.loads(line) for line in _lines()]


def example(name: str) -> dict[str, Any]:
    """The example of a type. Raises KeyError for a type without one."""
    found = [event for event in examples() if event["type"] == name]
    if not found:
        raise KeyError(name)
    return found[0]
