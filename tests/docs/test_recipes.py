"""What the pages say to programmers holds: files that they name are there, and the code of the recipes runs."""

import re
from pathlib import Path
from typing import Any

import pytest

from agents.forecasting.base import Ahead, ClosedPeriod, Rhythm
from agents.forecasting.registry import FORECASTERS
from agents.policies.base import Economics, Situation
from agents.policies.registry import POLICIES
from schemas.quantities import DAY_MS

ROOT = Path(__file__).parents[2]
HOW_TO = ROOT / "docs" / "how-to"
PAGES = sorted(
    page
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "tests").rglob("*.md")]
    if page.parent.name != "decisions" and page.name != "CHANGELOG.md"
)
"""Decisions and changelog speak of the past."""
FILE = re.compile(r"`((?:agents|stream|schemas|tests|bench|docs|deploy)/[\w./-]*)[:`]")


def code_of(recipe: str) -> dict[str, Any]:
    """Run the Python of a recipe, and return what it defines."""
    (block,) = re.findall(r"^ *```python\n(.*?)^ *```$", (HOW_TO / recipe).read_text(), flags=re.MULTILINE | re.DOTALL)
    namespace: dict[str, Any] = {}
    exec(re.sub(r"^   ", "", block, flags=re.MULTILINE), namespace)  # noqa: S102 - our own page
    return namespace


def in_folders(recipe: str, folder: str) -> bool:
    """Whether the recipe puts its file into a folder that is there."""
    return f"`{folder}<name>.py`" in (HOW_TO / recipe).read_text() and (ROOT / folder).is_dir()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_file_that_a_page_names_is_there(page: Path) -> None:
    assert [name for name in FILE.findall(page.read_text(encoding="utf-8")) if not (ROOT / name).exists()] == []


def test_files_are_found_in_pages() -> None:
    assert FILE.findall("`agents/core/core.py:Core`, `tests/chaos/`, `docs/x.md`") == [
        "agents/core/core.py", "tests/chaos/", "docs/x.md",
    ]  # fmt: skip
    assert sum(len(FILE.findall(page.read_text(encoding="utf-8"))) for page in PAGES) > 100


def test_the_forecaster_of_the_recipe_forecasts() -> None:
    forecaster = code_of("add-a-forecaster.md")["RollingMedian"](Rhythm())
    state = forecaster.fresh()
    for day, demand in enumerate([4, 4, 90, 4, 4]):
        forecaster.learn(state, "TEA-01@BER1", ClosedPeriod(day * DAY_MS, (day + 1) * DAY_MS, demand))
    assert forecaster.forecast(state, "TEA-01@BER1", [Ahead(5 * DAY_MS, 6 * DAY_MS)]).mean == pytest.approx(4.0)
    assert forecaster.name not in FORECASTERS
    assert in_folders("add-a-forecaster.md", "agents/forecasting/simple/")


def test_the_policy_of_the_recipe_decides() -> None:
    policy = code_of("add-a-policy.md")["HalfADay"]()
    forecaster = FORECASTERS["last-value"](Rhythm())
    state = forecaster.fresh()
    forecaster.learn(state, "TEA-01@BER1", ClosedPeriod(0, DAY_MS, 8))
    forecast = forecaster.forecast(state, "TEA-01@BER1", [Ahead(DAY_MS, 2 * DAY_MS), Ahead(2 * DAY_MS, 3 * DAY_MS)])
    situation = Situation("TEA-01@BER1", 1, 6, (), (0.0, 1.0), forecast, Economics(1.0, 9.0))
    assert policy.decide(policy.fresh(), situation).quantity == pytest.approx(16 + 4 - 6)
    assert policy.name not in POLICIES
    assert in_folders("add-a-policy.md", "agents/policies/rules/")
