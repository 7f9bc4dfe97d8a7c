"""The package of docs/how-to/bring-a-learner.md, built and installed: restock finds what it brings."""

import csv
import json
import os
import re
import subprocess
import sys
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest

from agents.forecasting import brought

PAGE = Path(__file__).parents[3] / "docs/how-to/bring-a-learner.md"
UV = Path(sys.executable).parent / "uv"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder into which the page's package was installed."""
    project = tmp_path_factory.mktemp("our-learners")
    settings, code = (
        "\n".join(line.removeprefix("   ") for line in block.splitlines())
        for block in re.findall(r"```(?:toml|python)\n(.*?)```", PAGE.read_text(), re.DOTALL)
    )
    (project / "src/our_learners").mkdir(parents=True)
    (project / "pyproject.toml").write_text(settings)
    (project / "src/our_learners/__init__.py").write_text(code)
    run(UV, "build", "--offline", "--wheel", "--quiet", project)
    wheel = next((project / "dist").glob("*.whl"))
    run(UV, "pip", "install", "--offline", "--quiet", "--no-deps", "--target", project / "installed", wheel)
    return project / "installed"


def run(*command: object, paths: Path | None = None) -> str:
    environment = os.environ | ({"PYTHONPATH": str(paths)} if paths is not None else {})
    done = subprocess.run(
        [str(word) for word in command], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_command_line_evaluates_what_a_package_brings(installed: Path, tmp_path: Path) -> None:
    history = tmp_path / "history.csv"
    with history.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["item", "date", "demand"])
        for day in range(1, 29):
            writer.writerow(["TEA-01", f"2026-02-{day:02}", 3 + day % 4])
    python = Path(sys.executable).parent / "restock"
    forecasts = run(
        python,
        "evaluate",
        "forecasts",
        history,
        "--horizon",
        "3",
        "--beside",
        "rolling-median,nearest-weeks",
        paths=installed,
    )
    assert "rolling-median" in forecasts
    assert "nearest-weeks" in forecasts
    policies = run(
        python,
        "evaluate",
        "policies",
        history,
        "--lead-time",
        "2",
        "--policies",
        "half-a-day,half-a-day-watched,pil",
        paths=installed,
    )
    assert "half-a-day-watched" in policies


def test_what_a_package_brings_lives_and_is_restored(installed: Path) -> None:
    code = """
import json
from agents.forecasting.base import Ahead, ClosedPeriod, Rhythm
from agents.forecasting.registry import FORECASTERS
from agents.policies.registry import POLICIES
day, said = 86_400_000, {}
for name in ("rolling-median", "nearest-weeks"):
    forecaster = FORECASTERS[name](Rhythm())
    state = forecaster.fresh()
    for number in range(60):
        forecaster.learn(state, "A@X", ClosedPeriod(number * day, (number + 1) * day, 2.0 + number % 7))
    plan = [Ahead(number * day, (number + 1) * day) for number in range(60, 63)]
    first = forecaster.forecast(state, "A@X", plan)
    assert forecaster.forecast(forecaster.load(forecaster.dump(state)), "A@X", plan) == first
    said[forecaster.name] = first.mean
said["policies"] = [POLICIES[name]().name for name in ("half-a-day", "half-a-day-watched")]
print(json.dumps(said))
"""
    said = json.loads(run(sys.executable, "-c", code, paths=installed))
    assert said["policies"] == ["half-a-day", "half-a-day-watched"]
    assert 9.0 < said["rolling-median"] < 18.0
    assert 9.0 < said["nearest-weeks"] < 25.0


def test_a_name_that_restock_has_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    points = EntryPoints([EntryPoint("blend", "their_package:Blend", "restock.forecasters")])
    monkeypatch.setattr(brought, "entry_points", lambda **_: points)
    with pytest.raises(ValueError, match=r"their_package:Blend brings restock.forecasters 'blend', which restock has"):
        brought.brought("restock.forecasters", {"blend"})
