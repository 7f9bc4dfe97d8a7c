"""The commands that README and docs show to a newcomer work."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from stream.setting_sources import load
from stream.settings import KNOWN_SETTINGS, Settings

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "docs/index.md", "docs/quickstart.md", "docs/concepts.md")
PATIENCE_SECONDS = 90


def blocks(page: str, heading: str, language: str) -> list[str]:
    """The code blocks of one section."""
    section = (ROOT / page).read_text().split(f"## {heading}\n")[1].split("\n## ")[0]
    return re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL)


def test_the_first_steps_by_hand_lead_to_an_alert(tmp_path: Path) -> None:
    """As in the README; but a person types slowly, while here we wait until the worker has seen the order."""
    script = "\n".join(blocks("README.md", "First steps by hand", "sh"))
    steps = [line for line in script.splitlines() if not line.startswith("make env")]
    look = next(number for number, line in enumerate(steps) if line.startswith("restock items"))
    wait = "until restock items --alert low_stock | grep -q TEA-01@BER1; do sleep 0.1; done"
    steps.insert(look, wait)
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "RESTOCK_METRICS": ":0"}

    done = subprocess.run(
        ["bash", "-ec", "\n".join(steps)],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr + (tmp_path / "worker.log").read_text()
    assert re.search(r"^TEA-01@BER1\t.*\t7\t7\t.*low_stock$", done.stdout, re.MULTILINE)
    assert "shards are equal" in done.stdout


@pytest.mark.parametrize("page", PAGES)
def test_every_command_exists(page: str) -> None:
    from agents.cli import VERBS

    text = (ROOT / page).read_text()
    typed = "\n".join(re.findall(r"```sh\n(.*?)```", text, re.DOTALL))
    verbs = set(re.findall(r"[`(]restock ([a-z-]+)", text) + re.findall(r"^restock ([a-z-]+)", typed, re.MULTILINE))

    assert verbs <= set(VERBS)


def test_the_example_settings_are_the_defaults_and_leave_none_out() -> None:
    example = ROOT / "restock.example.toml"

    assert load(example, {}) == Settings()
    of_all, _, _ = example.read_text().partition("[notify]")
    assert re.findall(r"^(?:# )?([a-z_]+) = ", of_all, re.MULTILINE) == list(KNOWN_SETTINGS)
