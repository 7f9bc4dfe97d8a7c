"""The dispatcher: exit codes, one line on standard error, and nothing imported that is not needed."""

import argparse
import importlib
import importlib.util
import subprocess
import sys
from typing import Any

import pytest

from agents import cli
from stream.errors import AnswerIsNo, Unreachable, WrongUse
from stream.faults import BrokerDown, StoreDown


class Verb:
    """A verb that raises the error it is given."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error

    def register(self, subparsers: Any) -> None:
        parser: argparse.ArgumentParser = subparsers.add_parser("doctor")
        parser.add_argument("--count", type=int)

    def run(self, args: argparse.Namespace) -> int:
        assert args.verb == "doctor"
        if self.error:
            raise self.error
        return 0


def after_ctrl_c(error: Exception) -> Exception:
    """What a Ctrl-C makes of it."""
    error.__context__ = KeyboardInterrupt()
    return error


@pytest.fixture
def fail(monkeypatch: pytest.MonkeyPatch) -> Any:
    def with_error(error: BaseException | None) -> None:
        monkeypatch.setattr(importlib, "import_module", lambda _: Verb(error))
        monkeypatch.setattr(importlib.util, "find_spec", lambda _: True)

    return with_error


@pytest.mark.parametrize(
    "error, exit_code, line",
    [
        (None, 0, ""),
        (AnswerIsNo("RESTOCK_X=1 differs: apply it"), 1, "restock doctor: RESTOCK_X=1 differs: apply it\n"),
        (WrongUse("no"), 2, "restock doctor: no\n"),
        (Unreachable("gone"), 3, "restock doctor: gone\n"),
        (StoreDown("refused"), 3, "restock doctor: RESTOCK_REDIS does not answer (refused): run `restock doctor`\n"),
        (BrokerDown("gone"), 3, "restock doctor: RESTOCK_KAFKA does not answer (gone): run `restock doctor`\n"),
        (ZeroDivisionError("two\nlines"), 70, "restock doctor: ZeroDivisionError: two lines: a fault of restock; "),
        (KeyboardInterrupt(), 130, ""),
        (after_ctrl_c(SystemError("a result with an exception set")), 130, ""),
        (after_ctrl_c(StoreDown("gone")), 130, "restock doctor: RESTOCK_REDIS does not answer (gone): run `restock"),
        (SystemError("of its own"), 70, "restock doctor: SystemError: of its own"),
    ],
)
def test_every_end_has_its_exit_code_and_at_most_one_line(
    fail: Any, capsys: pytest.CaptureFixture[str], error: BaseException | None, exit_code: int, line: str
) -> None:
    fail(error)
    assert cli.main(["doctor"]) == exit_code
    printed = capsys.readouterr().err
    assert printed.startswith(line)
    assert printed.count("\n") == (1 if line else 0)


def test_debug_shows_the_traceback_wherever_it_stands(fail: Any) -> None:
    fail(WrongUse("no"))
    for words in (["--debug", "doctor"], ["doctor", "--debug"]):
        with pytest.raises(WrongUse):
            cli.main(words)


def test_the_settings_file_may_be_named_before_or_after_the_verb(fail: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    fail(None)
    seen: list[str] = []

    def look(_: Verb, args: argparse.Namespace) -> int:
        seen.append(str(args.config))
        return 0

    monkeypatch.setattr(Verb, "run", look)
    cli.main(["--config", "a.toml", "doctor"])
    cli.main(["doctor", "--config=a.toml"])
    cli.main(["doctor"])
    assert seen == ["a.toml", "a.toml", "None"]


@pytest.mark.parametrize(
    "words, line",
    [
        (
            ["doctor", "--cuont", "3"],
            "restock doctor: unrecognized arguments: --cuont 3: see `restock doctor --help`\n",
        ),
        (["doctor", "--count", "x"], "restock doctor: argument --count: invalid int value: 'x': see `restock doctor"),
        (["dokter"], "restock: argument COMMAND: invalid choice: 'dokter' (choose from "),
        ([], "restock: the following arguments are required: COMMAND"),
    ],
)
def test_wrong_words_are_one_line_and_exit_2(
    fail: Any, capsys: pytest.CaptureFixture[str], words: list[str], line: str
) -> None:
    fail(None)
    with pytest.raises(SystemExit) as end:
        cli.main(words)
    printed = capsys.readouterr().err
    assert end.value.code == 2
    assert printed.startswith(line)
    assert printed.count("\n") == 1


def test_help_imports_no_heavy_library() -> None:
    heavy = "{'faust', 'aiokafka', 'confluent_kafka', 'redis', 'numpy', 'river', 'rich'}"
    code = f"import sys; from agents.cli import _parser; _parser([]); print({heavy} & set(sys.modules))"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert printed.stdout == "set()\n"


def test_restock_says_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out.startswith("restock ")
