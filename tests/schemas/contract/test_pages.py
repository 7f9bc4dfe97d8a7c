"""The documents of the contract agree with the types, and machines can use them."""

from pathlib import Path
from typing import Any

import jsonschema
import pytest

from schemas.contract.asyncapi import document
from schemas.contract.examples import example, examples
from schemas.contract.json_schema import TYPES, schema_of, summary_of
from schemas.contract.pages import MEANINGS, pages
from schemas.refusal import Reason

DOCS = Path(__file__).parents[3] / "docs" / "contract"


def test_the_pages_agree_with_the_types() -> None:
    """After a change to schemas/: `make docs`."""
    written = {path.name: path.read_text(encoding="utf-8") for path in DOCS.iterdir()}
    assert written.keys() == pages().keys()
    for name, text in pages().items():
        assert written[name] == text, f"{name} differs: run `make docs`"


def test_every_type_has_one_example_at_least() -> None:
    assert {event["type"] for event in examples()} == set(TYPES)


def test_every_reason_is_explained() -> None:
    assert MEANINGS.keys() == set(Reason)
    for reason in Reason:
        assert f"`{reason.value}`" in pages()["index.md"]


@pytest.mark.parametrize("name", TYPES)
def test_schemas_accept_their_examples(name: str) -> None:
    schema = schema_of(name)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(example(name), schema)
    assert summary_of(name)


@pytest.mark.parametrize("name", TYPES)
def test_schemas_want_every_required_field(name: str) -> None:
    for field in schema_of(name)["properties"]["data"]["required"]:
        event = example(name)
        del event["data"][field]
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(event, schema_of(name))


@pytest.mark.parametrize(
    "name, field, value",
    [
        ("stock.counted", "counted", -1),
        ("stock.counted", "sku", "a@b"),
        ("stock.adjusted", "delta", 0),
        ("item.configured", "unit_cost", "-1 EUR"),
        ("item.configured", "service_level", 1.1),
        ("stock.transferred", "phase", "lost"),
        ("order.placed", "lines", []),
    ],
)
def test_schemas_know_the_bounds(name: str, field: str, value: Any) -> None:
    event = example(name)
    event["data"][field] = value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(event, schema_of(name))


def test_a_fields_note_in_the_sources_is_in_its_schema() -> None:
    data = schema_of("stock.received")["properties"]["data"]
    assert data["properties"]["accepted"]["description"] == "Units taken into stock."
    why = schema_of("replenishment.requested")["$defs"]["Why"]
    assert "baseline" in why["properties"]["baseline_quantity"]["description"]


def test_every_reference_in_asyncapi_has_a_target() -> None:
    api = document()

    def references(node: Any) -> list[str]:
        if isinstance(node, dict):
            own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
            return own + [found for child in node.values() for found in references(child)]
        return [found for child in node for found in references(child)] if isinstance(node, list) else []

    found = references(api)
    assert len(found) > 50
    for reference in found:
        place: Any = api
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]
    assert {message for channel in api["channels"].values() for message in channel["messages"]} == {
        *TYPES,
        "dead-letter",
        "dead-letter-mark",
    }
    assert {"ledger", "journal"}.isdisjoint(api["channels"])
