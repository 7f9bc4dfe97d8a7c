"""Scenarios play the same for the same seed, and `restock simulate` shows what came of them."""

import json
from pathlib import Path

import pytest

from agents.cli import main
from agents.forecasting.base import Rhythm
from agents.forecasting.registry import FORECASTERS
from agents.policies.registry import POLICIES
from agents.simulation.scenario import NAMED, play


@pytest.mark.parametrize("name", sorted(NAMED))
def test_every_named_scenario_can_be_simulated(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["simulate", name, "--items", "2", "--days", "40", "--policies", "pil,one-point-two", "--json"]
    assert main(arguments) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures.keys() == {"pil", "one-point-two"}
    assert 0.0 <= figures["pil"]["fill_rate"] <= 1.0


def test_a_seed_makes_another_shop() -> None:
    def rows(seed: int) -> list[object]:
        scenario = type(NAMED["steady"])(items=2, days=30, seed=seed)
        return list(play(scenario, FORECASTERS["ewma"](Rhythm()), {"pil": POLICIES["pil"]()}))

    assert rows(1) == rows(1) != rows(2)


def test_a_file_is_a_scenario_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine, out = tmp_path / "mine.toml", tmp_path / "p.csv"
    mine.write_text('items = 2\ndays = 20\nlead_times = [2, 3]\npolicies = ["base-stock"]\n')
    assert main(["simulate", str(mine), "--out", str(out)]) == 0
    assert len(out.read_text().splitlines()) == 1 + 2 * 20
    assert "base-stock" in capsys.readouterr().out


@pytest.mark.parametrize("content", ["items = 0\n", "itens = 3\n", "policies = ['magic']\n", "items = \n"])
def test_a_wrong_file_is_reported_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(content)
    assert main(["simulate", str(wrong)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert main(["simulate", "no-such-scenario"]) == 2
