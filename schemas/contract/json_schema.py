"""Makes one JSON Schema per event type from the structs: a producer can check events against it without us.

>>> schema_of("stock.counted")["properties"]["data"]["properties"]["counted"]["maximum"]
1000000000
"""

import ast
import inspect
import textwrap
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import Any

import msgspec

from schemas.contract.examples import example
from schemas.envelope import Attributes
from schemas.inbound import INBOUND
from schemas.outbound import OUTBOUND

CONTRACT_VERSION = "1.0.0"
DIALECT = "https://json-schema.org/draft/2020-12/schema"

TYPES: dict[str, type[msgspec.Struct]] = {
    name: kind.data for table in (INBOUND, OUTBOUND) for name, kind in table.items()
}
"""Every event type, inbound and outbound, with the struct of its data."""


def topic_of(name: str) -> str:
    """The topic a type belongs to."""
    return INBOUND[name].topic if name in INBOUND else OUTBOUND[name].topic


def summary_of(name: str) -> str:
    """What a type means, in a sentence or two."""
    return " ".join((TYPES[name].__doc__ or "").split())


def schema_of(name: str) -> dict[str, Any]:
    """The JSON Schema of a whole event in structured mode."""
    definitions = data_schemas(name, "#/$defs/{name}")
    data = definitions.pop(TYPES[name].__name__)
    return {
        "$schema": DIALECT,
        "title": name,
        "description": summary_of(name),
        **envelope_schema(name, data),
        "examples": [example(name)],
        **({"$defs": definitions} if definitions else {}),
    }


def envelope_schema(name: str, data: dict[str, Any]) -> dict[str, Any]:
    """The schema of the envelope around the data of a type."""
    attributes = msgspec.json.schema(Attributes)["$defs"]["Attributes"]
    properties = {key: _plain(node) for key, node in attributes["properties"].items()}
    properties["type"] = {"const": name}
    if name in OUTBOUND:
        properties["subject"] = {"description": "the item", "type": "string"}
    required = [*attributes["required"], *(["subject"] if name in OUTBOUND else []), "data"]
    return {"type": "object", "properties": {**properties, "data": data}, "required": required}


def data_schemas(name: str, reference: str) -> dict[str, dict[str, Any]]:
    """The schemas of a type's data and of its parts, by struct name, with the notes of their fields."""
    _, components = msgspec.json.schema_components([TYPES[name]], ref_template=reference)
    notes = _notes_of(TYPES[name])
    for title, component in components.items():
        for field, node in component.get("properties", {}).items():
            note = notes.get((title, field))
            if note:
                node["description"] = note
    return components


def _plain(node: dict[str, Any]) -> dict[str, Any]:
    """The schema of an attribute that may be absent, without its null."""
    return dict(node["anyOf"][0]) if "anyOf" in node else node


@cache
def _notes_of(struct: type[msgspec.Struct]) -> dict[tuple[str, str], str]:
    """What the sources say beneath the fields of a struct and of its parts, by struct and field."""
    return {
        (part.__name__, field.encode_name): note
        for part in _parts(struct)
        for field in msgspec.structs.fields(part)
        for note in _docstrings(part, field.name)
    }


def _parts(struct: type[msgspec.Struct]) -> Iterator[type[msgspec.Struct]]:
    """A struct and the structs within it."""
    found = [msgspec.inspect.type_info(struct)]
    seen: set[type] = set()
    while found:
        info = found.pop()
        if isinstance(info, msgspec.inspect.StructType) and info.cls not in seen:
            seen.add(info.cls)
            yield info.cls
            found.extend(field.type for field in info.fields)
        found.extend(getattr(info, "types", ()))
        if isinstance(info, msgspec.inspect.VarTupleType):
            found.append(info.item_type)


def _docstrings(struct: type, attribute: str) -> Iterator[str]:
    """The text beneath a field, from the first class that has one."""
    for each in struct.__mro__:
        note = _written(each).get(attribute)
        if note:
            yield note
            return


@cache
def _written(struct: type) -> dict[str, str]:
    """The texts beneath the fields that a class itself declares."""
    if not struct.__module__.startswith("schemas."):
        return {}
    (body,) = ast.parse(textwrap.dedent(inspect.getsource(struct))).body
    notes = {}
    statements = body.body if isinstance(body, ast.ClassDef) else []
    for declared, below in pairwise(statements):
        if (
            isinstance(declared, ast.AnnAssign)
            and isinstance(declared.target, ast.Name)
            and isinstance(below, ast.Expr)
        ):
            notes[declared.target.id] = " ".join(str(ast.literal_eval(below.value)).split())
    return notes
