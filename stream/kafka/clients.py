"""Makes Kafka clients from the settings: the same security settings for confluent-kafka, aiokafka and Faust.

>>> client_config(Settings(kafka="kafka:9092"))["bootstrap.servers"]
'kafka:9092'
"""

import contextlib
import logging
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from stream.errors import AccessDenied, Unreachable, WrongUse
from stream.settings import Settings

if TYPE_CHECKING:
    from faust.auth import Credentials

logger = logging.getLogger(__name__)

REACH_SECONDS = 10.0
ANSWER_MS = 20_000
"""How long a broker may take to answer; only a member's wait for a rebalance may take longer."""
BROKER_BYTES = 1_048_588
"""The largest record that a broker takes by default."""
_FAILED_LOGIN = (KafkaError._AUTHENTICATION, KafkaError.SASL_AUTHENTICATION_FAILED, KafkaError._SSL)  # noqa: SLF001 - librdkafka's own codes carry an underscore
_NO_ANSWER = (
    KafkaError._TRANSPORT,  # noqa: SLF001
    KafkaError._ALL_BROKERS_DOWN,  # noqa: SLF001
    KafkaError._TIMED_OUT,  # noqa: SLF001
    KafkaError._TIMED_OUT_QUEUE,  # noqa: SLF001
    KafkaError._RESOLVE,  # noqa: SLF001
    KafkaError.REQUEST_TIMED_OUT,
    *_FAILED_LOGIN,
)


def client_config(settings: Settings, **extra: Any) -> dict[str, Any]:
    """What every confluent-kafka client is made from; `extra` takes librdkafka's names with underscores for dots."""
    config: dict[str, Any] = {
        "bootstrap.servers": settings.kafka,
        "client.id": settings.app,
        "security.protocol": settings.kafka_security,
        # A dead connection is given up after this time; with the default a shard would stand still for a minute.
        "socket.timeout.ms": ANSWER_MS,
        # librdkafka would write every failed attempt to standard error; what matters comes back as an error.
        "log_level": 2,
        "error_cb": lambda error: logger.debug("kafka: %s", error),
    }
    if settings.kafka_security.endswith("ssl"):
        files = {
            "ssl.ca.location": settings.kafka_ca_file,
            "ssl.certificate.location": settings.kafka_cert_file,
            "ssl.key.location": settings.kafka_key_file,
        }
        config |= {key: str(path) for key, path in files.items() if path}
    if settings.kafka_security.startswith("sasl"):
        config |= {
            "sasl.mechanism": settings.kafka_sasl_mechanism,
            "sasl.username": settings.kafka_user,
            "sasl.password": _kafka_password(settings),
        }
    return config | {name.replace("_", "."): value for name, value in extra.items()}


def producer_config(settings: Settings, **extra: Any) -> dict[str, Any]:
    """Configure an idempotent producer that never gives up a record: after a timeout one could be missing."""
    config = {
        "enable.idempotence": True,
        "acks": "all",
        "message.timeout.ms": 0,
        "message.max.bytes": record_bytes(settings),
        "linger.ms": 5,
        # librdkafka's 100 ms would be the latency of a transaction whose predecessor's markers are still being written.
        "retry.backoff.ms": 5,
        "compression.type": "lz4",
    }
    return client_config(settings) | config | {name.replace("_", "."): value for name, value in extra.items()}


def compression(settings: Settings) -> dict[str, Any]:
    """How records that others read are compressed: their clients may not know every codec that ours know.

    Ledger and journal are read by restock alone. The first level of gzip takes half the time of the usual one for a
    fifth more bytes.

    >>> compression(Settings())
    {'compression.type': 'gzip', 'compression.level': 1}
    """
    level = {"compression.level": 1} if settings.compression == "gzip" else {}
    return {"compression.type": settings.compression, **level}


def source_bytes(settings: Settings) -> int:
    """The largest record of a source: more than an event may have, so that one too large is refused with a reason."""
    return max(BROKER_BYTES, 2 * settings.max_event_bytes)


def record_bytes(settings: Settings) -> int:
    """The largest record of every other topic: a dead letter holds a source's whole record, and headers."""
    return 2 * source_bytes(settings)


def reader_config(settings: Settings, **extra: Any) -> dict[str, Any]:
    """A consumer outside any group: it is assigned its partitions, commits nothing and sees committed records only."""
    config = {
        "group.id": f"{settings.app}-reader",
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "enable.partition.eof": True,
        "fetch.wait.max.ms": 20,
        "isolation.level": "read_committed",
        "auto.offset.reset": "error",
    }
    return client_config(settings) | config | {name.replace("_", "."): value for name, value in extra.items()}


def aiokafka_options(settings: Settings) -> dict[str, Any]:
    """The same for an aiokafka client."""
    options: dict[str, Any] = {
        "bootstrap_servers": settings.kafka,
        "security_protocol": settings.kafka_security.upper(),
        "ssl_context": _ssl_context(settings),
    }
    if settings.kafka_security.startswith("sasl"):
        options |= {
            "sasl_mechanism": settings.kafka_sasl_mechanism,
            "sasl_plain_username": settings.kafka_user,
            "sasl_plain_password": _kafka_password(settings),
        }
    return options


def faust_credentials(settings: Settings) -> "Credentials | None":
    """The same for a Faust app; None is plaintext."""
    if settings.kafka_security == "plaintext":
        return None
    from faust.auth import SASLCredentials, SSLCredentials  # noqa: PLC0415 - commands that need no Faust start without it

    context = _ssl_context(settings)
    if settings.kafka_security == "ssl":
        return SSLCredentials(context)
    return SASLCredentials(
        username=settings.kafka_user,
        password=_kafka_password(settings),
        ssl_context=context,
        mechanism=settings.kafka_sasl_mechanism,
    )


def admin(settings: Settings) -> AdminClient:
    """An admin client of a broker that has been seen to answer."""
    client, _ = reach(settings)
    return client


def reach(settings: Settings, seconds: float = REACH_SECONDS) -> tuple[AdminClient, Any]:
    """Connect; raises Unreachable, with one line that says what to do, when nobody answers."""
    complaints: list[KafkaError] = []
    client = AdminClient(client_config(settings) | {"error_cb": complaints.append})
    try:
        return client, client.list_topics(timeout=seconds)
    except KafkaException as error:
        client.poll(0)
        login = next((complaint for complaint in complaints if complaint.code() in _FAILED_LOGIN), None)
        raise _unreachable(settings, login or error.args[0]) from None


@contextlib.contextmanager
def answering(settings: Settings) -> Iterator[None]:
    """Turn errors of a broker that does not answer into `Unreachable`."""
    try:
        yield
    except KafkaException as error:
        if error.args[0].code() in _NO_ANSWER:
            raise _unreachable(settings, error.args[0]) from error
        raise


def read_secret(path: Path, key: str) -> str:
    """The first line of a file that holds a secret."""
    try:
        secret = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise WrongUse(f"{key}={path} cannot be read: name a text file that this user may read") from None
    if not secret or not secret[0]:
        raise WrongUse(f"{key}={path} is empty: write the password into its first line")
    return secret[0]


def _unreachable(settings: Settings, error: KafkaError) -> Unreachable:
    if error.code() in _FAILED_LOGIN:
        return AccessDenied(
            f"RESTOCK_KAFKA={settings.kafka} refuses this client ({error.str()}): "
            "check RESTOCK_KAFKA_SECURITY and the user, password and certificate files beside it"
        )
    return Unreachable(
        f"RESTOCK_KAFKA={settings.kafka} does not answer ({error.str()}): "
        "start a broker (`restock local`) or set RESTOCK_KAFKA"
    )


def _kafka_password(settings: Settings) -> str:
    if settings.kafka_password_file is None:
        raise WrongUse("RESTOCK_KAFKA_PASSWORD_FILE is not set: name the file with the SASL password")
    return read_secret(settings.kafka_password_file, "RESTOCK_KAFKA_PASSWORD_FILE")


def _ssl_context(settings: Settings) -> ssl.SSLContext | None:
    if not settings.kafka_security.endswith("ssl"):
        return None
    try:
        context = ssl.create_default_context(cafile=settings.kafka_ca_file)
        if settings.kafka_cert_file:
            context.load_cert_chain(settings.kafka_cert_file, settings.kafka_key_file)
    except ssl.SSLError as error:
        raise WrongUse(
            f"RESTOCK_KAFKA_CA_FILE={settings.kafka_ca_file} or its client files hold no PEM: {error.reason}"
        ) from None
    return context
