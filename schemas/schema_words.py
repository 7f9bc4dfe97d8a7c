"""Puts a piece of JSON Schema into words, for the cure of a refusal and for the tables of the documentation.

>>> in_words({"type": "integer", "minimum": 1, "maximum": 1000})
'an integer from 1 to 1,000'
>>> in_words({"anyOf": [{"enum": ["lost", "backorder"]}, {"type": "null"}]})
'`lost` or `backorder`'
"""

from collections.abc import Mapping
from typing import Any

_KINDS = {"integer": "an integer", "number": "a number", "string": "a text", "boolean": "true or false"}


def resolved(definitions: Mapping[str, Any], node: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow a node to what it stands for: the alternative that is not null, or the definition it refers to."""
    if "anyOf" in node:
        node = next(each for each in node["anyOf"] if each != {"type": "null"})
    if "$ref" in node:
        node = definitions[node["$ref"].rpartition("/")[2]]
    return node


def in_words(node: Mapping[str, Any]) -> str:
    """Type and bounds of a value."""
    if "anyOf" in node:
        node = resolved({}, node)
    if "enum" in node:
        *most, last = [f"`{choice}`" for choice in node["enum"] if choice is not None]
        return f"{', '.join(most)} or {last}" if most else last
    if node.get("format") == "date-time":
        return "a moment"
    if node.get("type") == "array":
        return "an array" if node.get("minItems", 0) == 0 else "an array that is not empty"
    words = _KINDS.get(node.get("type", ""), "an object")
    low, high = node.get("minimum"), node.get("maximum")
    if "exclusiveMinimum" in node:
        words += f" above {node['exclusiveMinimum']:,}"
    elif low is not None and high is not None:
        return f"{words} from {low:,} to {high:,}"
    if high is not None:
        words += f" up to {high:,}"
    if "maxLength" in node:
        words += (
            f" of {node['minLength']} to {node['maxLength']}"
            if "minLength" in node
            else f" of at most {node['maxLength']}"
        )
        words += " characters"
    elif "pattern" in node and "examples" in node:
        words += f" such as `{node['examples'][0]}`"
    return words
