"""The three packages have common names, so what is imported must be ours; the lock must hold on every machine."""

import importlib
import tomllib
from importlib.metadata import distribution
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("room", ["agents", "schemas", "stream"])
def test_an_imported_package_is_ours(room: str) -> None:
    found = importlib.import_module(room).__file__
    assert found is not None
    assert Path(found) == ROOT / room / "__init__.py"
    assert (ROOT / room / "py.typed").exists()


def test_the_package_is_never_uploaded() -> None:
    assert "Private :: Do Not Upload" in distribution("restock").metadata.get_all("Classifier", [])


def test_the_lock_knows_one_index_and_no_folder_of_this_machine() -> None:
    packages = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    sources = {(kind, place) for package in packages for kind, place in package["source"].items()}
    assert len(sources) == 2
    assert ("editable", ".") in sources
    assert {place.split("://")[0] for kind, place in sources if kind == "registry"} == {"https"}
