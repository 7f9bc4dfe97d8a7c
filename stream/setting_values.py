"""Reads and writes the values of settings: durations, sizes, moments, addresses, files.

A kind is a pair of functions, from text to value and back. A text that cannot be read raises a ValueError whose message
says what to write instead.

>>> DURATION.read("1h30m"), DURATION.write(5_400_000)
(5400000, '1h30m')
>>> SIZE.read("256kB"), MOMENT.write(MOMENT.read("2026-03-01"))
(256000, '2026-03-01T00:00:00Z')
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from schemas.quantities import DAY_MS, HOUR_MS, MINUTE_MS

_DURATIONS = {"d": DAY_MS, "h": HOUR_MS, "m": MINUTE_MS, "s": 1_000, "ms": 1}
_SIZES = {"B": 1, "kB": 1_000, "KiB": 1 << 10, "MB": 1_000_000, "MiB": 1 << 20}


class SettingKind(msgspec.Struct, frozen=True):
    """How one kind of value is read from text, and written."""

    read: Callable[[str], Any]
    write: Callable[[Any], str] = str


class Address(msgspec.Struct, frozen=True):
    """Where a socket listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def text(pattern: str, hint: str) -> SettingKind:
    """A kind: text of a certain form."""

    def read(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(hint)
        return value

    return SettingKind(read)


def choice(*names: str) -> SettingKind:
    """A kind: one of a few words."""

    def read(value: str) -> str:
        if value not in names:
            raise ValueError(f"is none of {', '.join(names)}")
        return value

    return SettingKind(read)


def count(least: int, most: int) -> SettingKind:
    """A kind: a whole number in a range."""

    def read(value: str) -> int:
        digits = value.replace(",", "").replace("_", "")
        if not (digits.isascii() and digits.isdigit() and least <= int(digits[:18]) <= most):
            raise ValueError(f"is no number from {least} to {most}")
        return int(digits)

    return SettingKind(read)


def duration(least_ms: int = 0, most_ms: int = 36_500 * DAY_MS) -> SettingKind:
    """A kind: a span of time, in milliseconds."""

    def read(value: str) -> int:
        parts = re.findall(r"(\d{1,12})(ms|d|h|m|s)", value)
        if "".join(number + unit for number, unit in parts) != value or not parts:
            raise ValueError("is no duration: write it as 5m, 30s, 200ms, 1d or 1h30m")
        span_ms = sum(int(number) * _DURATIONS[unit] for number, unit in parts)
        if not least_ms <= span_ms <= most_ms:
            raise ValueError(f"is not between {_write_duration(least_ms)} and {_write_duration(most_ms)}")
        return span_ms

    return SettingKind(read, _write_duration)


def _write_duration(span_ms: int) -> str:
    parts = []
    for unit, unit_ms in _DURATIONS.items():
        number, span_ms = divmod(span_ms, unit_ms)
        if number:
            parts.append(f"{number}{unit}")
    return "".join(parts) or "0s"


def _read_size(value: str) -> int:
    match = re.fullmatch(r"(\d{1,9})(B|kB|KiB|MB|MiB)", value)
    if not match:
        raise ValueError("is no size: write it as 256kB or 1MiB")
    return int(match[1]) * _SIZES[match[2]]


def _write_size(size: int) -> str:
    unit = next(unit for unit in ("MB", "MiB", "kB", "KiB", "B") if size % _SIZES[unit] == 0)
    return f"{size // _SIZES[unit]}{unit}"


def _read_clock_time(value: str) -> int:
    match = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)", value)
    if not match:
        raise ValueError("is no time of day: write it as 00:00 to 23:59, in UTC")
    return (int(match[1]) * 60 + int(match[2])) * 60_000


def _write_clock_time(after_midnight_ms: int) -> str:
    hours, minutes = divmod(after_midnight_ms // 60_000, 60)
    return f"{hours:02}:{minutes:02}"


def _read_moment(value: str) -> int:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError("is no moment: write it as 2026-03-01 or 2026-03-01T00:00:00Z") from None
    if moment.tzinfo is None:
        if len(value) > len("2026-03-01"):
            raise ValueError(f"has no offset: write it as {value}Z if it is UTC")
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1_000)


def _write_moment(moment_ms: int) -> str:
    written = datetime.fromtimestamp(moment_ms / 1_000, UTC).isoformat(
        timespec="milliseconds" if moment_ms % 1_000 else "seconds"
    )
    return written.replace("+00:00", "Z")


def _read_address(value: str) -> Address:
    host, colon, port = value.rpartition(":")
    if not colon or not port.isdigit() or int(port) > 65_535:
        raise ValueError("is no address: write it as 127.0.0.1:9477, or :0 for any free port of 127.0.0.1")
    return Address(host.strip("[]") or "127.0.0.1", int(port))


def _read_servers(value: str) -> str:
    servers = [server.strip() for server in value.split(",")]
    if not all(re.fullmatch(r"(\[[0-9a-fA-F:]+\]|[\w.-]+):\d{1,5}", server) for server in servers):
        raise ValueError("is no list of servers: write it as host:9092,other:9092")
    return ",".join(servers)


def _read_redis_url(value: str) -> str:
    if not re.fullmatch(r"(redis|rediss|redis\+cluster|rediss\+cluster|unix)://\S+", value):
        raise ValueError("is no Redis URL: write it as redis://127.0.0.1:6379/0, or rediss:// for TLS")
    return value


def _read_file(value: str) -> Path:
    path = Path(value).expanduser()
    try:
        with path.open("rb"):
            return path
    except OSError as error:
        raise ValueError(f"cannot be read ({error.strerror}): name a file that this user may read") from None


def _read_share(value: str) -> float:
    if not re.fullmatch(r"0|1|0?\.\d{1,9}|1\.0+|0\.0+", value):
        raise ValueError("is no share: write it as 0, 0.01 or 1")
    return float(value)


def _write_share(share: float) -> str:
    return f"{share:.9f}".rstrip("0").rstrip(".")


DURATION = duration()
SIZE = SettingKind(_read_size, _write_size)
CLOCK_TIME = SettingKind(_read_clock_time, _write_clock_time)
MOMENT = SettingKind(_read_moment, _write_moment)
SHARE = SettingKind(_read_share, _write_share)
ADDRESS = SettingKind(_read_address)
SERVERS = SettingKind(_read_servers)
REDIS_URL = SettingKind(_read_redis_url)
FILE = SettingKind(_read_file)
