"""`restock schema`: what it prints is valid and complete."""

import json
from pathlib import Path

from schemas.contract.json_schema import TYPES
from schemas.contract.pages import pages
from tests.agents.cli.conftest import Run


def test_every_type_is_listed(restock: Run) -> None:
    code, out, _ = restock("schema")
    assert code == 0
    assert [line.split("\t")[0] for line in out.splitlines()] == ["type", *TYPES]
    assert {entry["type"] for entry in json.loads(restock("schema", "--json")[1])} == set(TYPES)


def test_a_types_schema_is_printed(restock: Run) -> None:
    schema = json.loads(restock("schema", "order.placed")[1])
    assert schema["title"] == "order.placed"
    assert schema["examples"][0]["type"] == "order.placed"


def test_examples_are_printed(restock: Run) -> None:
    (line,) = restock("schema", "order.placed", "--example")[1].splitlines()
    assert json.loads(line)["type"] == "order.placed"
    assert {json.loads(line)["type"] for line in restock("schema", "--example")[1].splitlines()} == set(TYPES)


def test_the_asyncapi_document_is_printed(restock: Run) -> None:
    assert json.loads(restock("schema", "--asyncapi")[1])["asyncapi"] == "3.0.0"


def test_an_unknown_type_is_wrong_use(restock: Run) -> None:
    code, out, err = restock("schema", "order.place")
    assert (code, out) == (2, "")
    assert "order.placed" in err


def test_pages_are_written(restock: Run, tmp_path: Path) -> None:
    assert restock("schema", "--write", tmp_path / "new")[0] == 0
    assert {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "new").iterdir()} == pages()


def test_a_directory_that_cannot_be_made_is_wrong_use(restock: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    code, _, err = restock("schema", "--write", tmp_path / "file" / "inside")
    assert code == 2
    assert err.count("\n") == 1
