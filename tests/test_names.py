"""One name is one thing, and nothing goes by a name that it had before: docs/decisions/0041 lists those names."""

import ast
import re
import subprocess
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
RECORD = ROOT / "docs" / "decisions" / "0041-the-second-floor-plan.md"
ROOMS = ("agents", "stream", "schemas", "bench")
PRIVATE_WORDS = ("clerk", "pulse", "whereabouts", "retelling", "tally", "tallies")
"""Former names that say nothing to a newcomer: no code and no page uses them for anything."""
TEXTS = (".py", ".md", ".toml", ".yml", ".yaml", ".lua", ".jsonl", "Makefile", "Dockerfile", "run")


@cache
def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def sources(*folders: str) -> list[Path]:
    return sorted(file for folder in folders for file in (ROOT / folder).rglob("*.py"))


def tracked() -> list[str]:
    """Every file of the project that the record of the renames does not excuse."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    excused = {RECORD, Path(__file__)}
    return [name for name in listed if name.endswith(TEXTS) and (ROOT / name).is_file() and ROOT / name not in excused]


def rows(heading: str) -> list[list[str]]:
    """The cells of a table of the record, without its head."""
    section = RECORD.read_text(encoding="utf-8").split(f"## {heading}\n")[1].split("\n## ")[0]
    return [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| `")]


def words(cell: str) -> set[str]:
    """The plain identifiers of a cell."""
    return {word for word in re.findall(r"`([^`]+)`", cell) if word.isidentifier()}


def defined(file: Path) -> Iterator[str]:
    """Names that a module gives to classes, functions and variables of its own."""
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        elif isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.id if isinstance(node, ast.Name) else node.attr


@pytest.mark.parametrize("folders", [ROOMS, (*ROOMS, "tests")], ids=["rooms", "rooms and tests"])
def test_a_class_name_stands_for_one_class(folders: tuple[str, ...]) -> None:
    found = defaultdict(list)
    for file in sources(*folders):
        for node in ast.walk(tree(file)):
            if isinstance(node, ast.ClassDef):
                found[node.name].append(f"{file.relative_to(ROOT)}:{node.lineno}")
    assert len(found) > 100
    assert {name: places for name, places in found.items() if len(places) > 1} == {}


def test_a_module_that_moved_is_gone_and_nothing_leads_to_where_it_was() -> None:
    before = {path for cell, _ in rows("Modules") for path in re.findall(r"`([^`]+)`", cell)}
    gone = {
        path for path in before if not re.search(rf"`{re.escape(path)}`", "".join(now for _, now in rows("Modules")))
    }
    assert len(gone) > 80
    assert [path for path in gone if (ROOT / path).exists()] == []
    dotted = {
        path.removesuffix(".py").replace("/", ".")
        for path in gone
        if path.endswith(".py") and not (ROOT / path.removesuffix(".py")).is_dir()
    }

    def leads_there(token: str) -> bool:
        parts = token.split(".")
        return token in gone or any(".".join(parts[:number]) in dotted for number in range(2, len(parts) + 1))

    assert lines_with(re.compile(r"\w+(?:[./]\w+)+"), leads_there) == []


@pytest.mark.parametrize("row", rows("Classes and functions"), ids=lambda row: row[0].strip("`"))
def test_what_was_renamed_is_not_defined_under_its_former_name(row: list[str]) -> None:
    place, before, now = row
    path = ROOT / place.strip("`").replace(".", "/")
    files = [path.with_suffix(".py")] if path.with_suffix(".py").exists() else sorted(path.rglob("*.py"))
    assert files, f"{place} is no module and no package"
    former = words(before) - words(now)
    assert {f"{file.relative_to(ROOT)}: {name}" for file in files for name in defined(file) if name in former} == set()


def test_private_words_are_gone() -> None:
    private = {form for word in PRIVATE_WORDS for form in (word, f"{word}s")}
    assert lines_with(re.compile(r"[a-zA-Z]+"), lambda word: word.lower() in private) == []


def lines_with(token: re.Pattern[str], unwanted: Callable[[str], bool]) -> list[str]:
    """The lines of text files that hold an unwanted token."""
    found = []
    for name in tracked():
        text = (ROOT / name).read_text(encoding="utf-8")
        if bad := {each for each in set(token.findall(text)) if unwanted(each)}:
            lines = enumerate(text.splitlines(), 1)
            found += [f"{name}:{number}: {line.strip()}" for number, line in lines if bad & set(token.findall(line))]
    return found
