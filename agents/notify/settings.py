"""Reads the table `[notify]` of `restock.toml`: who is told, and at which hours.

It has a table of its own because it has lists in it, which an environment variable has not. Addresses may hold secrets:
they come from a file (`url_file`), from an environment variable (`url_env`) or, where they hold none, from the table.
"""

import os
import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from agents.notify.hours import Hours
from agents.notify.mailing import Mailing, Urgency
from agents.notify.recipient import Recipient, Url
from schemas.outbound import Severity
from schemas.quantities import MINUTE_MS
from stream.errors import WrongUse
from stream.setting_sources import DEFAULT_FILE
from stream.setting_values import ADDRESS, CLOCK_TIME, Address, duration

_PAUSE = duration(0)
_RETRY = duration(1)
TABLE = "notify"


class _StatedRecipient(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    name: str
    url: str | None = None
    url_file: str | None = None
    url_env: str | None = None
    severities: tuple[Severity, ...] = ("critical", "warning")
    proposals: bool = True
    suppliers: tuple[str, ...] = ()
    classes: tuple[Literal["A", "B", "C"], ...] = ()
    locations: tuple[str, ...] = ()


class _StatedTable(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    time_zone: str = "UTC"
    morning: str = "07:30"
    digests: tuple[str, ...] = ("12:00", "16:00")
    quiet: str = "20:00-07:00"
    pause: str = "5m"
    retry: str = "5s"
    lines: int = 60
    metrics: str = "127.0.0.1:9478"
    to: tuple[_StatedRecipient, ...] = ()


class NotifySettings(NamedTuple):
    """Who is told, and at which hours."""

    hours: Hours
    pause_ms: int
    retry_ms: int
    """The pause before a notification that was refused is sent again; it doubles with every refusal."""
    lines: int
    metrics: Address | None
    """Where metrics are served; None for nowhere."""
    recipients: tuple[Recipient, ...]

    def mailings(self) -> list[Mailing]:
        """Every recipient's two, but for an Alertmanager, which has hours of its own."""
        urgencies: tuple[Urgency, ...] = ("at-once", "digest")
        people = [recipient for recipient in self.recipients if not is_alertmanager(recipient)]
        return [Mailing(each, urgency, self.hours, self.pause_ms) for each in people for urgency in urgencies]


def is_alertmanager(recipient: Recipient) -> bool:
    """Whether it is an Alertmanager (`alertmanager://host:9093`, or `alertmanagers://` by HTTPS)."""
    return recipient.url.scheme in {"alertmanager", "alertmanagers"}


def load_notify(config: Path | None = None, environment: Mapping[str, str] | None = None) -> NotifySettings:
    """Read the table; WrongUse names the key and the cure."""
    path = config or DEFAULT_FILE
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8")) if config or path.exists() else {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise WrongUse(f"--config={path} cannot be read: {error}") from None
    try:
        stated = msgspec.convert(content.get(TABLE, {}), _StatedTable)
    except msgspec.ValidationError as error:
        raise WrongUse(f"{path}: [{TABLE}]: {error}: see restock.example.toml") from None
    where = f"{path}: {TABLE}"
    hours = Hours(
        _read(f"{where}.time_zone", stated.time_zone, _zone),
        _read(f"{where}.morning", stated.morning, _minute),
        tuple(_read(f"{where}.digests", digest, _minute) for digest in stated.digests),
        _read(f"{where}.quiet", stated.quiet, _quiet),
    )
    given = os.environ if environment is None else environment
    recipients = tuple(_recipient(f"{where}.to", each, given) for each in stated.to)
    names = [recipient.name for recipient in recipients]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise WrongUse(f"{where}.to.name={twice} stands there twice: give each recipient a name of its own")
    if stated.lines < 1:
        raise WrongUse(f"{where}.lines={stated.lines} is no number of lines: give at least 1")
    return NotifySettings(
        hours,
        _read(f"{where}.pause", stated.pause, _PAUSE.read),
        _read(f"{where}.retry", stated.retry, _RETRY.read),
        stated.lines,
        _read(f"{where}.metrics", stated.metrics, ADDRESS.read) if stated.metrics else None,
        recipients,
    )


def _recipient(where: str, stated: _StatedRecipient, environment: Mapping[str, str]) -> Recipient:
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,60}", stated.name):
        raise WrongUse(f"{where}.name={stated.name} is no name: use 1 to 60 letters, digits, dots, dashes")
    return Recipient(
        stated.name,
        _url(f"{where} {stated.name}", stated, environment),
        stated.severities,
        stated.proposals,
        stated.suppliers,
        stated.classes,
        stated.locations,
    )


def _url(where: str, stated: _StatedRecipient, environment: Mapping[str, str]) -> Url:
    """The address, from the one place that is named; no error shows it."""
    if sum(each is not None for each in (stated.url, stated.url_file, stated.url_env)) != 1:
        raise WrongUse(f"{where} has no address, or two: set one of url_file, url_env, url")
    text = stated.url or ""
    if stated.url_file is not None:
        try:
            text = Path(stated.url_file).expanduser().read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            raise WrongUse(f"{where}: url_file={stated.url_file} cannot be read: name a text file") from None
    if stated.url_env is not None:
        text = environment.get(stated.url_env, "")
    text = text.strip()
    if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*://\S", text):
        raise WrongUse(f"{where} has no address where it says: write one like json://host/path or mailto://…")
    return Url(text)


def _read(key: str, value: str, read: Callable[[str], Any]) -> Any:
    try:
        return read(value)
    except ValueError as error:
        raise WrongUse(f"{key}={value} {error}") from None


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        raise ValueError("is no time zone: write it as Europe/Berlin") from None


def _minute(value: str) -> int:
    try:
        return int(CLOCK_TIME.read(value)) // MINUTE_MS
    except ValueError:
        raise ValueError("is no time of day: write it as 00:00 to 23:59") from None


def _quiet(value: str) -> tuple[int, int] | None:
    if not value:
        return None
    starts, dash, ends = value.partition("-")
    if not dash or starts == ends:
        raise ValueError("are no hours: write them as 20:00-07:00, or nothing for none")
    return _minute(starts), _minute(ends)
