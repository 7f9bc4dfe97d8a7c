"""Every setting there is: its default, how its value is written, and what it is for.

>>> Settings(lateness_ms=600_000).fold_settings().lateness_ms
600000
>>> as_environment(Settings(lateness_ms=600_000))
{'RESTOCK_LATENESS': '10m'}
"""

from pathlib import Path
from typing import Annotated, Literal, NamedTuple, get_type_hints

import msgspec

from schemas.ledger import FoldSettings
from schemas.quantities import DAY_MS, HOUR_MS, MINUTE_MS
from schemas.topics import place
from stream.setting_values import (
    ADDRESS,
    CLOCK_TIME,
    DURATION,
    FILE,
    MOMENT,
    REDIS_URL,
    SERVERS,
    SHARE,
    SIZE,
    Address,
    SettingKind,
    choice,
    count,
    duration,
    text,
)

PREFIX = "RESTOCK_"

_NAME = text(r"[A-Za-z0-9._-]{1,60}", "is no name: use 1 to 60 letters, digits, dots, dashes")
_NAME_OR_NOTHING = text(r"[A-Za-z0-9._-]{0,100}", "is no prefix: use letters, digits, dots, dashes")


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings of one process. Each annotation holds how the value is written, and what it is for."""

    # Kafka
    kafka: Annotated[str, SERVERS, "bootstrap servers"] = "127.0.0.1:9092"
    kafka_security: Annotated[
        Literal["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"],
        choice("plaintext", "ssl", "sasl_plaintext", "sasl_ssl"),
        "how brokers are spoken to",
    ] = "plaintext"
    kafka_user: Annotated[str | None, text(r"\S.*", "is empty: name the SASL user"), "SASL user"] = None
    kafka_password_file: Annotated[Path | None, FILE, "file with the SASL password"] = None
    kafka_sasl_mechanism: Annotated[
        Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"],
        choice("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"),
        "SASL mechanism",
    ] = "SCRAM-SHA-512"
    kafka_ca_file: Annotated[Path | None, FILE, "certificates that the brokers' are checked against"] = None
    kafka_cert_file: Annotated[Path | None, FILE, "this client's certificate"] = None
    kafka_key_file: Annotated[Path | None, FILE, "this client's private key"] = None

    # Redis
    redis: Annotated[str, REDIS_URL, "URL of the checkpoints; rediss:// for TLS"] = "redis://127.0.0.1:6379/0"
    redis_password_file: Annotated[Path | None, FILE, "file with the Redis password"] = None

    # Names and sizes
    app: Annotated[str, _NAME, "consumer groups, transactional ids, Redis prefix"] = "restock"
    topic_prefix: Annotated[str, _NAME_OR_NOTHING, "before every topic name"] = ""
    partitions: Annotated[int, count(1, 10_000), "of the ledger, and default of the other topics"] = 12
    replication: Annotated[int | None, count(1, 15), "of every topic; 3, and 1 where there is one broker"] = None
    ledger_retention_ms: Annotated[int, duration(DAY_MS), "of ledger and journal"] = msgspec.field(
        default=3_650 * DAY_MS, name="ledger_retention"
    )
    max_event_bytes: Annotated[int, SIZE, "an event above this is refused"] = 256_000
    compression: Annotated[
        Literal["none", "gzip", "lz4", "snappy", "zstd"],
        choice("none", "gzip", "lz4", "snappy", "zstd"),
        "of what others read; without a plug-in every client reads none and gzip",
    ] = "gzip"
    metrics: Annotated[Address, ADDRESS, "metrics and health; :0 is any free port"] = Address("127.0.0.1", 9477)
    log: Annotated[
        Literal["debug", "info", "warning", "error"],
        choice("debug", "info", "warning", "error"),
        "least severity logged",
    ] = "info"
    log_format: Annotated[
        Literal["auto", "text", "json"],
        choice("auto", "text", "json"),
        "auto: text on a terminal, else one JSON object a line",
    ] = "auto"
    traces: Annotated[
        str | None, text(r"https?://\S+", "is no URL: write it as http://127.0.0.1:4318"), "collector by OTLP over HTTP"
    ] = None
    trace_share: Annotated[float, SHARE, "of the traces that begin here; a producer decides about its own"] = 1.0
    privacy_key_file: Annotated[Path | None, FILE, "key that customers are hashed with; none: they are dropped"] = None

    # Rhythm of a worker
    tick_ms: Annotated[int, duration(10, HOUR_MS), "between two records of the feeds' progress"] = msgspec.field(
        default=30_000, name="tick"
    )
    checkpoint_ms: Annotated[int, duration(1, MINUTE_MS), "between two checkpoints of a shard"] = msgspec.field(
        default=200, name="checkpoint"
    )
    session_timeout_ms: Annotated[int, duration(1_000, 300_000), "a worker silent for this long loses its shards"] = (
        msgspec.field(default=10_000, name="session_timeout")
    )
    ready_lag: Annotated[
        int, count(0, 1_000_000_000), "records any source or ledger partition of a ready worker may be behind"
    ] = 1_000
    stuck_ms: Annotated[
        int, duration(1_000, DAY_MS), "a worker that stands still before work for this long is dead"
    ] = msgspec.field(default=300_000, name="stuck")
    clock: Annotated[
        Literal["wall", "events"],
        choice("wall", "events"),
        "wall: quiet feeds follow the clock; events: time comes only from events",
    ] = "wall"

    # What changes the fold: these live in the ledger too
    lateness_ms: Annotated[int, DURATION, "allowed lateness of events"] = msgspec.field(
        default=300_000, name="lateness"
    )
    feed_idle_ms: Annotated[int, DURATION, "a feed behind by this long holds time back no more"] = msgspec.field(
        default=900_000, name="feed_idle"
    )
    unknown_items: Annotated[
        Literal["accept", "ask", "quarantine"],
        choice("accept", "ask", "quarantine"),
        "items nobody configured; ask refuses other spellings of known ones",
    ] = "accept"
    period_ms: Annotated[int, duration(1_000, 366 * DAY_MS), "bucket of demand and default review period"] = (
        msgspec.field(default=DAY_MS, name="period")
    )
    day_starts_ms: Annotated[int, CLOCK_TIME, "where a day begins, in UTC"] = msgspec.field(
        default=0, name="day_starts"
    )
    spread_ms: Annotated[int, DURATION, "reviews are spread over this time"] = msgspec.field(default=0, name="spread")
    decide_from: Annotated[int | None, MOMENT, "learn only, until then"] = None
    max_items: Annotated[int, count(1, 1_000_000_000), "items a shard"] = 1_000_000
    currency: Annotated[str, text(r"[A-Z]{3}", "is no currency: write it as EUR"), "of all money"] = "EUR"
    duplicate_window_ms: Annotated[int, DURATION, "an event's id is remembered for this long"] = msgspec.field(
        default=7 * DAY_MS, name="duplicate_window"
    )
    duplicate_window_ids: Annotated[int, count(1, 1_000_000), "at most so many ids of an item are remembered"] = 4_096

    def __repr__(self) -> str:
        return f"Settings({', '.join(f'{shown.key}={shown.value}' for shown in show(self))})"

    def place(self, item: str) -> int:
        """The shard of an item."""
        return place(item, self.partitions, alike=self.unknown_items == "ask")

    def topic(self, logical: str) -> str:
        """The name of a topic at the broker, from its logical name in the contract."""
        return self.topic_prefix + logical

    def fold_settings(self) -> FoldSettings:
        """The settings that change the fold, as the ledger states them."""
        return FoldSettings(**{name: getattr(self, name) for name in FoldSettings.__struct_fields__})


class KnownSetting(NamedTuple):
    """What is known of one setting: its attribute, its kind and its purpose."""

    attribute: str
    kind: SettingKind
    purpose: str
    optional: bool


class Shown(NamedTuple):
    """One effective setting for people to read, secrets masked."""

    key: str
    value: str
    purpose: str


def _known_settings() -> dict[str, KnownSetting]:
    hints = get_type_hints(Settings, include_extras=True)
    known = {}
    for field in msgspec.structs.fields(Settings):
        kind, purpose = hints[field.name].__metadata__
        known[field.encode_name] = KnownSetting(field.name, kind, purpose, field.default is None)
    return known


KNOWN_SETTINGS = _known_settings()
"""Every setting by its name in the file."""


def as_environment(settings: Settings) -> dict[str, str]:
    """The environment variables that give these settings to another process; they hold secrets."""
    default = Settings()
    return {
        PREFIX + name.upper(): _write(known, settings)
        for name, known in KNOWN_SETTINGS.items()
        if getattr(settings, known.attribute) != getattr(default, known.attribute)
    }


def show(settings: Settings) -> list[Shown]:
    """Every effective setting, secrets masked."""
    return [
        Shown(PREFIX + name.upper(), mask(_write(known, settings)), known.purpose)
        for name, known in KNOWN_SETTINGS.items()
    ]


def mask(value: str) -> str:
    """Hide the password of a URL, also of a misspelt one.

    >>> mask("redis://worker:secret@redis:6379/0"), mask("redis//worker:secret@redis")
    ('redis://worker:***@redis:6379/0', '***@redis')
    """
    credentials, at, host = value.rpartition("@")
    scheme, separator, user = credentials.partition("://")
    return f"{scheme}{separator}{user.partition(':')[0]}:***@{host}" if separator else f"***@{host}" if at else value


def _write(known: KnownSetting, settings: Settings) -> str:
    value = getattr(settings, known.attribute)
    return "" if value is None else known.kind.write(value)
