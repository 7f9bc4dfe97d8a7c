"""The contract as files for `docs/contract/`: an index to read, one page and one JSON Schema per type, AsyncAPI.

>>> sorted(pages())[:3]
['asyncapi.json', 'calendar.configured.md', 'calendar.configured.schema.json']
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from schemas.checks import EARLIEST_MS
from schemas.codec import MAX_DEPTH, Limits
from schemas.contract.asyncapi import document
from schemas.contract.examples import example
from schemas.contract.json_schema import TYPES, data_schemas, schema_of, summary_of, topic_of
from schemas.inbound import INBOUND
from schemas.quantities import instant
from schemas.refusal import Reason
from schemas.schema_words import in_words, resolved
from schemas.topics import TOPICS

MADE = "<!-- Made by `restock schema --write docs/contract` from the types in schemas/; changes go there. -->\n"

MEANINGS: Mapping[Reason, str] = {
    Reason.EMPTY: "the value has no bytes, or only white space",
    Reason.NOT_JSON: "truncated, followed by other bytes, NaN or Infinity, or a number as large as 1e999",
    Reason.NOT_AN_OBJECT: "a JSON text, number, array or null where the event or its data should be",
    Reason.TOO_DEEP: f"nested more than {MAX_DEPTH} deep",
    Reason.TOO_LARGE: f"more than {Limits().max_bytes:,} bytes (`RESTOCK_MAX_EVENT_BYTES`)",
    Reason.BAD_ENCODING: "not UTF-8, a byte order mark, UTF-16, or one half of a surrogate pair",
    Reason.BAD_ENVELOPE: "an attribute that is not as CloudEvents 1.0 says, or a format other than JSON",
    Reason.UNKNOWN_TYPE: "a type that is not in this contract",
    Reason.WRONG_TOPIC: "a type on another topic than its own",
    Reason.MISSING_FIELD: "a required field or attribute is absent; names are case-sensitive",
    Reason.WRONG_TYPE: "a value of another type: 1.0, true or a text for an integer, say",
    Reason.OUT_OF_RANGE: "a value outside its bounds, a word that is not among the choices, another currency, "
    "no lines, a line_id twice, a transfer to where it comes from, a promotion that ends before it starts",
    Reason.BAD_TIME: f"a moment without offset, before {instant(EARLIEST_MS)[:4]}, or none at all",
    Reason.TIME_TOO_FAR: "more than a day after the broker received it",
    Reason.BAD_IDENTITY: "a sku or location that is empty, too long, only spaces, or holds `@` or a control or "
    "invisible character",
    Reason.UNKNOWN_ITEM: "an item nobody configured, where such items are put into quarantine, or spell a known one in "
    "another way and somebody asks about that",
    Reason.TOO_MANY_ITEMS: "the shard holds as many items as it may",
    Reason.CONFLICTING_DUPLICATE: "the same source and id as an earlier event, with other data",
    Reason.COUNT_TOO_OLD: "a count as of more than 48 hours before",
    Reason.UNKNOWN_REPLENISHMENT: "an acknowledgement or approval of a replenishment nobody requested",
}


def pages() -> dict[str, str]:
    """Every file by its name."""
    return {
        "index.md": _index(),
        "asyncapi.json": _json(document()),
        **{f"{name}.md": _page(name) for name in TYPES},
        **{f"{name}.schema.json": _json(schema_of(name)) for name in TYPES},
    }


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def _index() -> str:
    types = [
        (f"[{name}]({name}.md)", topic_of(name), summary_of(name), "in" if name in INBOUND else "out") for name in TYPES
    ]
    topics = [
        (
            f"`{topic.name}`",
            topic.writer,
            topic.key,
            "internal" if topic.role == "log" else topic.role.replace("_", " "),
        )
        for topic in TOPICS.values()
    ]
    sample = json.dumps(example("stock.counted"), indent=2)
    return f"""{MADE}
# The contract

Producers, warehouses and on-call staff meet restock here and nowhere else. Everything below is made from the types
the service itself decodes with; machines read [asyncapi.json](asyncapi.json) or a type's JSON Schema.

Check a file before you publish it, without any broker: `restock validate FILE` (one event a line) prints for each line
`ok`, or the reason, the field and what to do. JSON Schema alone lets `1.0` pass for an integer; the service does not.

## The envelope

Events are [CloudEvents 1.0](https://cloudevents.io) over Kafka. In *structured* mode the value is one JSON object and
the header `content-type` is `application/cloudevents+json` (no headers at all mean the same). In *binary* mode the
value is the data, and the attributes are headers: `ce_specversion`, `ce_id`, `ce_source`, `ce_type`, `ce_time`.
What restock publishes is structured.

```json
{sample}
```

- `source` and `id` identify an event. Publishing it again is safe: the second is counted and ignored. The same two
  with other data are refused (`conflicting_duplicate`).
- `time` is when it happened, RFC 3339 with an offset, not when it was sent.
- `correlationid`, `causationid` and `traceparent` are carried from cause to effect. `subject` is ignored coming in.
- Unknown fields are ignored. An optional field may be absent or null, which means the same except where a type says
  otherwise. Of duplicate keys the last wins. A new field always has a default; a breaking change is a new type.
- Quantities are integers in the item's base unit. Money is a decimal text with a currency, `"2.10 EUR"`, one currency
  a system. An *item* is a sku at a location, written `sku@location`.

## Types

{_table(("type", "topic", "meaning", ""), types)}
## Topics

Names take the prefix the operators configured. Any key will do on the topics that producers write.

{_table(("topic", "written by", "key", "role"), topics)}
## Verdicts

What cannot be understood is refused and kept: the topic `dead-letters` holds the original key, value and headers, and
headers `restock.error.*` that say why, in a closed list of reasons. A null value (a tombstone) is ignored.

A record there without `restock.error.*` and with `restock.mark.*` is no refusal: it says that the event of this origin
(`topic`, `partition`, `offset`; `ordinal` where only one of its items is meant) was published again (`redriven`) or is
left alone (`discarded`). `restock dead-letters` writes it and shows it.

{_table(("reason", "what was found"), ((f"`{reason.value}`", meaning) for reason, meaning in MEANINGS.items()))}"""


def _page(name: str) -> str:
    definitions = data_schemas(name, "{name}")
    sections = []
    for title, component in definitions.items():
        heading = "data" if title == TYPES[name].__name__ else title
        rows = [
            (f"`{field}`", _type(definitions, node), "yes" if field in component["required"] else "", _meaning(node))
            for field, node in component["properties"].items()
        ]
        sections.append((heading, f"## {heading}\n\n{_table(('field', 'type', 'required', 'meaning'), rows)}"))
    sections.sort(key=lambda section: section[0] != "data")
    fields = "\n".join(body for _, body in sections)
    direction = "Published by" if name in INBOUND else "Written by"
    return f"""{MADE}
# {name}

{summary_of(name)}

{direction} {TOPICS[topic_of(name)].writer}, on topic `{topic_of(name)}`. As [JSON Schema]({name}.schema.json).

{fields}
## Example

```json
{json.dumps(example(name), indent=2, ensure_ascii=False)}
```
"""


def _type(definitions: Mapping[str, Any], node: Mapping[str, Any]) -> str:
    reference = _reference(node)
    if reference:
        return f"an object, [{reference}](#{reference.lower()})"
    inner = resolved(definitions, node)
    if inner.get("type") == "array" and "items" in inner:
        element = _reference(inner["items"])
        of = f"[{element}](#{element.lower()})" if element else _type(definitions, inner["items"])
        return f"{in_words(inner)}, each {of}"
    nullable = {"type": "null"} in node.get("anyOf", ())
    return in_words(inner) + (" or null" if nullable else "")


def _reference(node: Mapping[str, Any]) -> str:
    inner = next((each for each in node.get("anyOf", ()) if each != {"type": "null"}), node)
    return str(inner.get("$ref", "")).rpartition("/")[2]


def _meaning(node: Mapping[str, Any]) -> str:
    inner = next((each for each in node.get("anyOf", ()) if each != {"type": "null"}), node)
    return str(node.get("description") or inner.get("description") or "")
