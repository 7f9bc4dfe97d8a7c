"""One class name is one thing: a reader who searches for it finds one place."""

import ast
import re
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = ("agents", "stream", "schemas", "bench")


def classes_of(source: str) -> list[str]:
    """The names of all classes a file defines."""
    return [node.name for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ClassDef)]


def test_a_class_name_within_another_class_is_found() -> None:
    assert classes_of("class A:\n    class B: ...\ndef f():\n    class C: ...") == ["A", "B", "C"]


def test_no_class_name_is_defined_twice() -> None:
    places = defaultdict(list)
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            for name in classes_of(path.read_text()):
                places[name].append(str(path.relative_to(ROOT)))
    assert len(places) > 300
    assert {name: files for name, files in places.items() if len(files) > 1} == {}


def test_what_the_second_floor_plan_moved_is_not_where_it_was() -> None:
    record = (ROOT / "docs" / "decisions" / "0041-the-second-floor-plan.md").read_text()
    rows = re.findall(r"^\| `([\w/]+\.(?:py|lua))` \| (.+) \|$", record, flags=re.MULTILINE)
    assert len(rows) > 100
    assert [before for before, now in rows if f"`{before}`" not in now and (ROOT / before).exists()] == []


def test_the_glossary_names_files_that_are_there() -> None:
    glossary = (ROOT / "docs" / "concepts.md").read_text().partition("## Every word")[2]
    files = re.findall(r"`((?:agents|stream|schemas|docs)/[\w/.-]+)`", glossary)
    assert len(files) > 40
    assert [file for file in files if not (ROOT / file).exists()] == []
