"""Every alert has a page, all pages have one shape, and what they tell to run is what the commands take."""

import argparse
import os
import re
import shlex
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from agents import cli
from agents.inventory.severity import _USUAL
from schemas.outbound import AlertKind
from stream.kafka import ledger_state, topics
from stream.settings import Settings, as_environment

ROOT = Path(__file__).parents[2]
RUNBOOKS = ROOT / "docs" / "runbooks"
INDEX = RUNBOOKS / "README.md"
PAGES = sorted(page for page in RUNBOOKS.glob("*.md") if page != INDEX)
PARTS = ["What it means.", "What it costs.", "First look", "Cure", "When to wake whom."]
OF_THE_STOCK = {"".join(word.title() for word in kind.split("_")): kind for kind in get_args(AlertKind)}
OF_THE_SERVICE: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
for group in yaml.safe_load((ROOT / "deploy/prometheus/rules/restock.yml").read_text(encoding="utf-8"))["groups"]:
    for rule in group["rules"]:
        if "alert" in rule:
            OF_THE_SERVICE[rule["alert"]].append(rule)
SALES = """\
{"specversion":"1.0","id":"rec-1","source":"me","type":"stock.received","time":"2026-03-01T08:00:00Z",\
"data":{"receipt_id":"rec-1","sku":"TEA-01","location":"BER1","accepted":3,"rejected":0,"final":true}}
{"specversion":"1.0","id":"ord-1","source":"me","type":"order.placed","time":"2026-03-01T09:00:00Z",\
"data":{"order_id":"ord-1","lines":[{"line_id":"1","sku":"TEA-01","location":"BER1","quantity":3}]}}
"""


def commands(page: Path) -> list[str]:
    """The lines and spans of a page that call restock, without their comments."""
    text = page.read_text(encoding="utf-8")
    lines = re.findall(r"^restock .*$", text, flags=re.MULTILINE)
    return [command.partition("  #")[0].strip() for command in [*lines, *re.findall(r"`(restock [^`]+)`", text)]]


def first_look(page: Path) -> list[str]:
    """The commands of the block that comes first."""
    block = page.read_text(encoding="utf-8").split("**First look**\n\n```sh\n")[1].split("```")[0]
    return [line.partition("  #")[0].strip() for line in block.splitlines() if line.startswith("restock ")]


def arguments_of(command: str) -> list[str]:
    return shlex.split(command)[1:]


def test_every_alert_has_a_page_and_every_page_an_alert() -> None:
    assert {page.stem for page in PAGES} == OF_THE_STOCK.keys() | OF_THE_SERVICE.keys()
    for name, rules in OF_THE_SERVICE.items():
        assert {rule["annotations"]["runbook_url"] for rule in rules} == {f"docs/runbooks/{name}.md"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_has_the_parts_of_every_page(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"# {page.stem}\n\n`")
    assert re.findall(r"^\*\*([^*]+)\*\*", text, flags=re.MULTILINE) == PARTS
    assert "**First look**\n\n```sh\n" in text


@pytest.mark.parametrize("name", OF_THE_SERVICE)
def test_the_head_of_a_page_is_what_the_rule_says(name: str) -> None:
    rules = OF_THE_SERVICE[name]
    severities = " or ".join(rule["labels"]["severity"] for rule in rules)
    (wait,) = {rule.get("for", "at once") for rule in rules}
    wait = re.sub(r"^(\d+)m$", r"after \1 minutes", wait)
    head = f"`{name}`, {severities}, {wait}. Layer `{rules[-1]['labels']['layer']}`."
    assert (RUNBOOKS / f"{name}.md").read_text(encoding="utf-8").splitlines()[2] == head


def test_the_index_lists_every_alert_by_its_severity() -> None:
    service, stock = INDEX.read_text(encoding="utf-8").split("## Stock")
    sections = {part.split(":")[0].lower(): part for part in service.split("### ")[1:]}
    for name, rules in OF_THE_SERVICE.items():
        severities = {rule["labels"]["severity"] for rule in rules}
        assert {severity for severity, part in sections.items() if f"[{name}]({name}.md)" in part} == severities
    for name, kind in OF_THE_STOCK.items():
        assert f"| [{name}]({name}.md) | {_USUAL[kind]}" in stock


# What they tell to run ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", [*PAGES, INDEX], ids=lambda page: page.stem)
def test_commands_of_a_page_are_taken_by_the_command_line(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in commands(page):
        arguments = arguments_of(command)
        try:
            _, unknown = cli._parser(arguments).parse_known_args(arguments, argparse.Namespace())
        except SystemExit:
            pytest.fail(f"{command}: {capsys.readouterr().err}")
        assert not unknown, command


def test_a_command_that_is_none_is_found() -> None:
    arguments = arguments_of("restock doctor --soon")
    assert cli._parser(arguments).parse_known_args(arguments)[1] == ["--soon"]


def test_the_first_looks_look(
    kafka: str, redis_url: str, app: str, topic_prefix: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Against real servers and an item that sells: each answers, and says yes or no."""
    settings = Settings(kafka=kafka, redis=redis_url, app=app, topic_prefix=topic_prefix, partitions=5)
    for key, value in as_environment(settings).items():
        monkeypatch.setenv(key, value)
    monkeypatch.chdir(tmp_path)
    topics.create(settings)
    ledger_state.begin(settings)
    (tmp_path / "sales.jsonl").write_text(SALES, encoding="utf-8")
    assert cli.main(["publish", "sales.jsonl"]) == 0
    worker = [str(Path(sys.executable).with_name("restock")), "worker", "--exit-when-idle", "1"]
    subprocess.run(worker, env=os.environ | {"RESTOCK_METRICS": ":0"}, check=True, capture_output=True, timeout=90)
    looks = sorted({command for page in PAGES for command in first_look(page)})
    assert len(looks) > 20
    assert cli.main(["item", "TEA-01@BER1"]) == 0
    assert {look: code for look in looks if (code := cli.main(arguments_of(look))) not in {0, 1}} == {}
