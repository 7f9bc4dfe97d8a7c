"""The same security settings reach every client, and a wrong one is reported in one line."""

import ssl
from pathlib import Path

import certifi
import pytest
from faust.auth import SASLCredentials, SSLCredentials

from stream.checkpoint.redis_client import client_of
from stream.errors import Unreachable, WrongUse
from stream.kafka.clients import (
    aiokafka_options,
    client_config,
    faust_credentials,
    producer_config,
    reach,
    reader_config,
)
from stream.settings import Settings


@pytest.fixture
def secured(tmp_path: Path) -> Settings:
    password = tmp_path / "password"
    password.write_text("canary\n", encoding="utf-8")
    return Settings(
        kafka="a:9092,b:9092",
        kafka_security="sasl_ssl",
        kafka_user="worker",
        kafka_password_file=password,
        kafka_ca_file=Path(certifi.where()),
    )


def test_plaintext_needs_nothing() -> None:
    assert client_config(Settings())["security.protocol"] == "plaintext"
    assert aiokafka_options(Settings())["ssl_context"] is None
    assert faust_credentials(Settings()) is None


def test_every_client_gets_the_same(secured: Settings) -> None:
    for config in (client_config(secured), producer_config(secured), reader_config(secured)):
        assert config["bootstrap.servers"] == "a:9092,b:9092"
        assert config["security.protocol"] == "sasl_ssl"
        assert config["sasl.mechanism"] == "SCRAM-SHA-512"
        assert (config["sasl.username"], config["sasl.password"]) == ("worker", "canary")
        assert config["ssl.ca.location"] == certifi.where()
    options = aiokafka_options(secured)
    assert (options["security_protocol"], options["sasl_mechanism"]) == ("SASL_SSL", "SCRAM-SHA-512")
    assert (options["sasl_plain_username"], options["sasl_plain_password"]) == ("worker", "canary")
    assert options["ssl_context"].verify_mode == ssl.CERT_REQUIRED
    credentials = faust_credentials(secured)
    assert isinstance(credentials, SASLCredentials)
    assert (credentials.protocol.value, credentials.mechanism.value) == ("SASL_SSL", "SCRAM-SHA-512")
    assert (credentials.username, credentials.password) == ("worker", "canary")


def test_tls_without_a_password_checks_the_brokers() -> None:
    settings = Settings(kafka_security="ssl", kafka_ca_file=Path(certifi.where()))
    credentials = faust_credentials(settings)
    assert isinstance(credentials, SSLCredentials)
    assert credentials.context.verify_mode == ssl.CERT_REQUIRED
    assert "sasl.username" not in client_config(settings)


def test_extra_configuration_is_written_with_dots() -> None:
    config = producer_config(Settings(), linger_ms=0, transactional_id="x")
    assert (config["linger.ms"], config["transactional.id"]) == (0, "x")
    assert config["message.timeout.ms"] == 0  # a record given up would leave a gap


@pytest.mark.parametrize(
    "content, message",
    [(b"", "is empty: write the password into its first line"), (b"\xff\xfe", "cannot be read: name a text file")],
)
def test_a_password_file_must_hold_a_password(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "password"
    file.write_bytes(content)
    settings = Settings(kafka_security="sasl_plaintext", kafka_user="worker", kafka_password_file=file)
    with pytest.raises(WrongUse, match=message):
        client_config(settings)
    with pytest.raises(WrongUse, match=f"RESTOCK_REDIS_PASSWORD_FILE={file} {message}"):
        client_of(Settings(redis_password_file=file))


def test_files_that_are_no_certificates_are_named(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("hello", encoding="utf-8")
    with pytest.raises(WrongUse, match=rf"RESTOCK_KAFKA_CA_FILE={file} or its client files hold no PEM"):
        aiokafka_options(Settings(kafka_security="ssl", kafka_ca_file=file))


def test_a_broker_that_is_away_is_named_with_the_way_out() -> None:
    with pytest.raises(Unreachable, match=r"RESTOCK_KAFKA=127.0.0.1:1 does not answer .*: start a broker"):
        reach(Settings(kafka="127.0.0.1:1"), seconds=1.0)


def test_a_broker_that_wants_another_protocol_is_reported_without_a_traceback(kafka: str, tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("x", encoding="utf-8")
    settings = Settings(kafka=kafka, kafka_security="sasl_plaintext", kafka_user="worker", kafka_password_file=password)
    with pytest.raises(Unreachable, match=rf"RESTOCK_KAFKA={kafka} ") as error:
        reach(settings, seconds=2.0)
    assert "\n" not in str(error.value)


def test_redis_gets_its_password_from_the_file(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("canary\n", encoding="utf-8")
    client = client_of(Settings(redis="rediss://worker@cache:6380/0", redis_password_file=file))
    options = client.connection_pool.connection_kwargs  # type: ignore[union-attr]
    assert (options["username"], options["password"], options["host"]) == ("worker", "canary", "cache")
