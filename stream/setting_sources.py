"""Reads the settings, once: from the environment (`RESTOCK_…`) and from `restock.toml`; the environment wins.

In the file a setting has its name in lower case without the prefix: `lateness = "10m"`. A wrong value ends the start
with one line that names the key, the value and the cure. So does an unknown name, with the nearest known one.

>>> load(environment={"RESTOCK_LATENESS": "10m"}).fold_settings().lateness_ms
600000
>>> load(environment={"RESTOCK_LATENES": "10m"})
Traceback (most recent call last):
stream.errors.WrongUse: RESTOCK_LATENES=10m is no setting: did you mean RESTOCK_LATENESS?
"""

import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from schemas.quantities import DAY_MS
from stream import failpoints
from stream.errors import WrongUse
from stream.setting_values import DURATION
from stream.settings import KNOWN_SETTINGS, PREFIX, Settings, mask

DEFAULT_FILE = Path("restock.toml")
TABLES_OF_OTHERS = frozenset({"notify"})
"""Tables of the file that are read where they are used: `agents/notify/settings.py`."""


def load(config: Path | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings of the file (`restock.toml` here, when there is one) and of the environment."""
    given = _of_file(config) | _of_environment(os.environ if environment is None else environment)
    values = {}
    for name, (key, value) in given.items():
        known = KNOWN_SETTINGS[name]
        if not value and known.optional:
            continue
        try:
            values[known.attribute] = known.kind.read(value)
        except ValueError as error:
            raise WrongUse(f"{key}={mask(value)} {error}") from None
    settings = Settings(**values)
    _check_together(settings)
    return settings


def _of_environment(environment: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    given = {}
    for key, value in environment.items():
        if key.startswith(PREFIX) and key != failpoints.VARIABLE:
            name = key.removeprefix(PREFIX).lower()
            _check_known(name, key, value, PREFIX + "{NAME}")
            given[name] = key, value
    return given


def _of_file(config: Path | None) -> dict[str, tuple[str, str]]:
    path = config or DEFAULT_FILE
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if config is None:
            return {}
        raise WrongUse(f"--config={path} does not exist: name a file like restock.example.toml") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise WrongUse(f"--config={path} cannot be read: {error}") from None
    given = {}
    for name, value in content.items():
        if name in TABLES_OF_OTHERS:
            continue
        key = f"{path}: {name}"
        _check_known(name, key, value, "{name}")
        given[name] = key, value.isoformat() if hasattr(value, "isoformat") else str(value)
    return given


def _check_known(name: str, key: str, value: object, form: str) -> None:
    if name not in KNOWN_SETTINGS:
        nearest = difflib.get_close_matches(name, KNOWN_SETTINGS, n=1, cutoff=0.0)[0]
        shown = "***" if re.search("password|secret|token|key", name) else mask(str(value))
        raise WrongUse(f"{key}={shown} is no setting: did you mean {form.format(name=nearest, NAME=nearest.upper())}?")


def _check_together(settings: Settings) -> None:
    """Refuse settings that contradict each other."""
    period_ms = settings.period_ms
    if period_ms % DAY_MS and DAY_MS % period_ms:
        raise WrongUse(f"RESTOCK_PERIOD={DURATION.write(period_ms)} divides no day: use 1h, 6h, 1d, 7d or the like")
    if settings.spread_ms >= period_ms:
        raise WrongUse(
            f"RESTOCK_SPREAD={DURATION.write(settings.spread_ms)} is not below RESTOCK_PERIOD="
            f"{DURATION.write(period_ms)}: reviews of two periods would mix; use less"
        )
    if settings.kafka_security.startswith("sasl") and not (settings.kafka_user and settings.kafka_password_file):
        raise WrongUse(
            f"RESTOCK_KAFKA_SECURITY={settings.kafka_security} needs a user and a password: "
            "set RESTOCK_KAFKA_USER and RESTOCK_KAFKA_PASSWORD_FILE"
        )
    if settings.redis_password_file and urlsplit(settings.redis).password:
        raise WrongUse(
            f"RESTOCK_REDIS={mask(settings.redis)} and RESTOCK_REDIS_PASSWORD_FILE both name a password: keep the file"
        )
    if bool(settings.kafka_cert_file) != bool(settings.kafka_key_file):
        raise WrongUse("RESTOCK_KAFKA_CERT_FILE and RESTOCK_KAFKA_KEY_FILE go together: set both or none")
