"""The table `[notify]`: its example, its errors, and addresses that no error and no repr shows."""

import re
from pathlib import Path

import msgspec
import pytest

from agents.notify import settings
from agents.notify.recipient import Recipient
from agents.notify.settings import NotifySettings, load_notify
from stream.errors import WrongUse

EXAMPLE = Path(__file__).parents[3] / "restock.example.toml"


def read(tmp_path: Path, table: str, **environment: str) -> NotifySettings:
    path = tmp_path / "restock.toml"
    path.write_text(table, encoding="utf-8")
    return load_notify(path, environment)


def test_the_example_has_every_default_and_leaves_none_out(tmp_path: Path) -> None:
    _, _, table = EXAMPLE.read_text(encoding="utf-8").partition("[notify]")
    own, _, recipient = table.partition("[[notify.to]]")
    assert load_notify(EXAMPLE, {}) == read(tmp_path, "")
    names = re.findall(r"^([a-z_]+) = ", own, re.MULTILINE)
    assert [*names, "to"] == [field.name for field in msgspec.structs.fields(settings._StatedTable)]
    named = set(re.findall(r"^# ([a-z_]+) = ", recipient, re.MULTILINE))
    assert named == {field.name for field in msgspec.structs.fields(settings._StatedRecipient)}
    secret = tmp_path / "secret"
    secret.write_text("json://127.0.0.1:1/token\n", encoding="utf-8")
    lines = [
        line.removeprefix("# ") for line in recipient.splitlines()[1:] if not line.startswith(("# url ", "# url_env "))
    ]
    stated = "\n".join(lines).replace("/run/secrets/buyers", str(secret))
    (found,) = read(tmp_path, f"[[notify.to]]\n{stated}").recipients
    assert found == Recipient("buyers", found.url)
    assert found.url.reveal() == "json://127.0.0.1:1/token"


@pytest.mark.parametrize(
    "table, complaint",
    [
        ('[notify]\ntime_zone = "Mars"', "time_zone=Mars is no time zone: write it as Europe/Berlin"),
        ('[notify]\nquiet = "20:00"', "quiet=20:00 are no hours: write them as 20:00-07:00, or nothing for none"),
        ('[notify]\nmorning = "7"', "morning=7 is no time of day: write it as 00:00 to 23:59"),
        ('[notify]\npause = "soon"', "pause=soon is no duration"),
        ("[notify]\nlines = 0", "lines=0 is no number of lines: give at least 1"),
        ("[notify]\nlinse = 3", "unknown field `linse`"),
        ('[[notify.to]]\nname = "a b"\nurl = "json://x"', "name=a b is no name"),
        ('[[notify.to]]\nname = "a"', "to a has no address, or two: set one of url_file, url_env, url"),
        ('[[notify.to]]\nname = "a"\nurl_file = "nowhere"', "url_file=nowhere cannot be read"),
        ('[[notify.to]]\nname = "a"\nurl_env = "NOT_THERE"', "to a has no address where it says"),
        (2 * '[[notify.to]]\nname = "a"\nurl = "json://x"\n', "name=a stands there twice"),
    ],
)
def test_what_is_wrong_is_named_with_its_cure(tmp_path: Path, table: str, complaint: str) -> None:
    with pytest.raises(WrongUse, match=re.escape(complaint)):
        read(tmp_path, table)


def test_an_address_is_shown_by_nobody(tmp_path: Path) -> None:
    table = '[[notify.to]]\nname = "a"\nurl_env = "HOOK"'
    found = read(tmp_path, table, HOOK="json://user:canary@127.0.0.1/canary")
    assert "canary" not in repr(found)
    assert "canary" not in f"{found.recipients[0].url}"
    assert found.recipients[0].url.reveal() == "json://user:canary@127.0.0.1/canary"
    with pytest.raises(WrongUse) as error:
        read(tmp_path, table, HOOK="canary")
    assert "canary" not in str(error.value)
