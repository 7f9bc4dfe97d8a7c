"""Settings: where they come from, how they are refused, and that no secret is ever shown."""

from pathlib import Path

import pytest

from schemas.ledger import FoldSettings
from stream.errors import WrongUse
from stream.setting_sources import load
from stream.setting_values import Address
from stream.settings import Settings, as_environment, show


@pytest.fixture(autouse=True)
def _nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_without_anything_the_defaults_of_the_documentation_hold() -> None:
    settings = load(environment={})
    assert settings.kafka == "127.0.0.1:9092"
    assert settings.redis == "redis://127.0.0.1:6379/0"
    assert (settings.app, settings.topic_prefix, settings.partitions) == ("restock", "", 12)
    assert settings.metrics == Address("127.0.0.1", 9477)
    assert (settings.lateness_ms, settings.tick_ms, settings.feed_idle_ms) == (300_000, 30_000, 900_000)
    assert settings.fold_settings() == FoldSettings()


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    config = tmp_path / "shop.toml"
    config.write_text('lateness = "10m"\nperiod = "6h"\npartitions = 24\ndecide_from = 2026-03-01\n', encoding="utf-8")
    settings = load(config, {"RESTOCK_PERIOD": "1h"})
    assert (settings.lateness_ms, settings.period_ms, settings.partitions) == (600_000, 3_600_000, 24)
    assert settings.decide_from == 1_772_323_200_000


def test_the_file_of_the_working_directory_is_read_when_there_is_one(tmp_path: Path) -> None:
    (tmp_path / "restock.toml").write_text('app = "shop"', encoding="utf-8")
    assert load(environment={}).app == "shop"


@pytest.mark.parametrize(
    "key, value, message",
    [
        ("RESTOCK_LATENESS", "5", "RESTOCK_LATENESS=5 is no duration: write it as 5m, 30s, 200ms, 1d or 1h30m"),
        ("RESTOCK_TICK", "0s", "RESTOCK_TICK=0s is not between 10ms and 1h"),
        ("RESTOCK_PARTITIONS", "twelve", "RESTOCK_PARTITIONS=twelve is no number from 1 to 10000"),
        ("RESTOCK_PARTITIONS", "0", "RESTOCK_PARTITIONS=0 is no number from 1 to 10000"),
        ("RESTOCK_PARTITIONS", "9" * 5_000, "is no number from 1 to 10000"),
        ("RESTOCK_CLOCK", "sundial", "RESTOCK_CLOCK=sundial is none of wall, events"),
        ("RESTOCK_METRICS", "9477", "RESTOCK_METRICS=9477 is no address: write it as 127.0.0.1:9477"),
        ("RESTOCK_KAFKA", "kafka", "RESTOCK_KAFKA=kafka is no list of servers: write it as host:9092,other:9092"),
        ("RESTOCK_REDIS", "http://x", "RESTOCK_REDIS=http://x is no Redis URL"),
        ("RESTOCK_DECIDE_FROM", "soon", "RESTOCK_DECIDE_FROM=soon is no moment"),
        ("RESTOCK_DECIDE_FROM", "2026-03-01T10:00:00", "has no offset: write it as 2026-03-01T10:00:00Z"),
        ("RESTOCK_DAY_STARTS", "24:00", "RESTOCK_DAY_STARTS=24:00 is no time of day"),
        ("RESTOCK_CURRENCY", "Euro", "RESTOCK_CURRENCY=Euro is no currency: write it as EUR"),
        ("RESTOCK_APP", "a{b}", "RESTOCK_APP=a{b} is no name"),
        ("RESTOCK_MAX_EVENT_BYTES", "256", "RESTOCK_MAX_EVENT_BYTES=256 is no size: write it as 256kB or 1MiB"),
        ("RESTOCK_PERIOD", "7h", "RESTOCK_PERIOD=7h divides no day: use 1h, 6h, 1d, 7d or the like"),
        ("RESTOCK_SPREAD", "1d", "RESTOCK_SPREAD=1d is not below RESTOCK_PERIOD=1d"),
        ("RESTOCK_KAFKA_SECURITY", "sasl_ssl", "set RESTOCK_KAFKA_USER and RESTOCK_KAFKA_PASSWORD_FILE"),
        ("RESTOCK_KAFKA_PASSWORD_FILE", "nowhere", "RESTOCK_KAFKA_PASSWORD_FILE=nowhere cannot be read"),
        ("RESTOCK_PARTITION", "12", "RESTOCK_PARTITION=12 is no setting: did you mean RESTOCK_PARTITIONS?"),
    ],
)
def test_a_wrong_value_is_one_line_with_key_value_and_cure(key: str, value: str, message: str) -> None:
    with pytest.raises(WrongUse) as error:
        load(environment={key: value})
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "content, message",
    [
        ("latenes = '5m'", "restock.toml: latenes=5m is no setting: did you mean lateness?"),
        ("lateness = 300", "restock.toml: lateness=300 is no duration"),
        ("lateness =", "cannot be read"),
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "restock.toml").write_text(content, encoding="utf-8")
    with pytest.raises(WrongUse, match=r"restock\.toml") as error:
        load(environment={})
    assert message in str(error.value)


def test_a_named_file_must_exist(tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match=r"gone\.toml does not exist"):
        load(tmp_path / "gone.toml", {})


@pytest.mark.parametrize(
    "environment",
    [
        {"RESTOCK_REDIS": "redis://worker:canary@10.0.0.1:6379/0"},
        {"RESTOCK_REDIS": "redis://:canary@10.0.0.1:6379/0"},
        {"RESTOCK_REDIS": "redis://worker:can@ry:canary@10.0.0.1:6379/0"},
    ],
)
def test_a_password_is_never_shown(environment: dict[str, str]) -> None:
    settings = load(environment=environment)
    assert "canary" not in repr(settings) + str(settings) + str(show(settings))
    assert "10.0.0.1" in repr(settings)


@pytest.mark.parametrize(
    "key, value",
    [
        ("RESTOCK_REDIS", "redis//worker:canary@host"),
        ("RESTOCK_REDIS", "worker:canary@host"),
        ("RESTOCK_KAFKA_PASSWORD", "canary"),
        ("RESTOCK_REDIS_SECRET", "canary"),
    ],
)
def test_a_password_is_not_in_an_error_either(key: str, value: str) -> None:
    with pytest.raises(WrongUse) as error:
        load(environment={key: value})
    assert "canary" not in str(error.value)


def test_settings_survive_the_way_through_an_environment(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("x", encoding="utf-8")
    settings = Settings(
        kafka="a:1,b:2",
        kafka_security="sasl_plaintext",
        kafka_user="worker",
        kafka_password_file=secret,
        redis="redis://:canary@h:1/0",
        metrics=Address("::1", 0),
        decide_from=1_772_323_200_123,
        day_starts_ms=5_400_000,
        period_ms=3_600_000,
        spread_ms=90_500,
        max_event_bytes=1 << 20,
        unknown_items="quarantine",
        replication=3,
    )
    assert load(environment=as_environment(settings)) == settings
    assert as_environment(Settings()) == {}


def test_every_fold_setting_can_be_set() -> None:
    """A new field of FoldSettings without a setting of its name would be stuck at its default."""
    assert set(FoldSettings.__struct_fields__) <= set(Settings.__struct_fields__)


def test_an_empty_optional_setting_is_none() -> None:
    assert load(environment={"RESTOCK_DECIDE_FROM": ""}).decide_from is None


def test_metrics_on_any_port_stay_on_loopback() -> None:
    assert load(environment={"RESTOCK_METRICS": ":0"}).metrics == Address("127.0.0.1", 0)


def test_topic_names_carry_the_prefix() -> None:
    assert load(environment={"RESTOCK_TOPIC_PREFIX": "eu."}).topic("orders") == "eu.orders"
