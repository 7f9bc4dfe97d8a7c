"""The walk through the code names files, classes and functions: each of them is there."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "life-of-an-order-line.md").read_text()
PLACES = re.findall(r"`((?:agents|stream|schemas)/[\w/]+\.py)(?::([\w.]+))?`", PAGE)


def names_of(path: Path) -> set[str]:
    """Every class, function, method and module-level name of a file, methods as `Class.method`."""
    found = set()
    for node in ast.parse(path.read_text()).body:
        match node:
            case ast.ClassDef():
                methods = (part for part in node.body if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef))
                found |= {node.name, *(f"{node.name}.{method.name}" for method in methods)}
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                found.add(node.name)
            case ast.Assign() | ast.AnnAssign():
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                found |= {target.id for target in targets if isinstance(target, ast.Name)}
            case _:
                pass
    return found


def test_the_walk_has_every_stage() -> None:
    assert len(PLACES) > 40
    assert PAGE.count("\n## ") == 5


@pytest.mark.parametrize("path, name", PLACES)
def test_what_the_walk_names_is_there(path: str, name: str) -> None:
    assert (ROOT / path).is_file()
    assert not name or name in names_of(ROOT / path), f"{path} has no {name}"
