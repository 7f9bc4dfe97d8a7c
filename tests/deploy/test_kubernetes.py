"""deploy/kubernetes/worker.yaml: the same worker as in docker-compose.yml, as careful, with time to stop."""

import re
from pathlib import Path
from typing import Any

import yaml

from agents.worker.worker import SHUTDOWN_SECONDS
from stream.setting_sources import load

ROOT = Path(__file__).parents[2]
WORKER, MONITOR = yaml.safe_load_all((ROOT / "deploy/kubernetes/worker.yaml").read_text(encoding="utf-8"))
POD: dict[str, Any] = WORKER["spec"]["template"]["spec"]
(CONTAINER,) = POD["containers"]


def test_a_worker_is_given_the_time_that_it_takes_to_stop() -> None:
    assert POD["terminationGracePeriodSeconds"] >= SHUTDOWN_SECONDS + 10


def test_probes_ask_what_a_worker_answers() -> None:
    (port,) = CONTAINER["ports"]
    health = (ROOT / "stream/observability/health.py").read_text(encoding="utf-8")
    served = set(re.findall(r'web\.get\("(/\w+)"', health))
    probes = {name: CONTAINER[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")}
    assert {name: probe["path"] for name, probe in probes.items()} == {
        "startup": "/healthz",
        "liveness": "/healthz",
        "readiness": "/readyz",
    }
    assert {probe["path"] for probe in probes.values()} <= served
    assert {probe["port"] for probe in probes.values()} == {port["name"]}
    assert MONITOR["spec"]["podMetricsEndpoints"][0]["port"] == port["name"]


def test_settings_are_known_and_metrics_are_where_the_port_is() -> None:
    settings = load(environment={entry["name"]: entry["value"] for entry in CONTAINER["env"]})
    assert POD["enableServiceLinks"] is False, "RESTOCK_SERVICE_HOST is no setting"
    assert settings.metrics.port == CONTAINER["ports"][0]["containerPort"]


def test_it_is_the_image_of_the_dockerfile_confined() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    user = POD["securityContext"]
    assert f"USER {user['runAsUser']}:{user['runAsGroup']}" in dockerfile
    assert user["runAsNonRoot"]
    assert CONTAINER["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert WORKER["spec"]["selector"]["matchLabels"] == WORKER["spec"]["template"]["metadata"]["labels"]
    assert MONITOR["spec"]["selector"]["matchLabels"] == WORKER["spec"]["template"]["metadata"]["labels"]
