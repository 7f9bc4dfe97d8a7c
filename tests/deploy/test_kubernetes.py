"""deploy/kubernetes: the same worker and notifier as in docker-compose.yml, as careful, with time to stop."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from agents.notify.settings import load_notify
from agents.worker.worker import SHUTDOWN_SECONDS
from stream.setting_sources import load

ROOT = Path(__file__).parents[2]
WORKER, MONITOR = yaml.safe_load_all((ROOT / "deploy/kubernetes/worker.yaml").read_text(encoding="utf-8"))
POD: dict[str, Any] = WORKER["spec"]["template"]["spec"]
(CONTAINER,) = POD["containers"]
TABLE, NOTIFY = yaml.safe_load_all((ROOT / "deploy/kubernetes/notify.yaml").read_text(encoding="utf-8"))
NOTIFY_POD: dict[str, Any] = NOTIFY["spec"]["template"]["spec"]
(NOTIFY_CONTAINER,) = NOTIFY_POD["containers"]


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


@pytest.mark.parametrize("deployed", [WORKER, NOTIFY], ids=["worker", "notify"])
def test_it_is_the_image_of_the_dockerfile_confined(deployed: dict[str, Any]) -> None:
    template = deployed["spec"]["template"]
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    user = template["spec"]["securityContext"]
    assert f"USER {user['runAsUser']}:{user['runAsGroup']}" in dockerfile
    assert user["runAsNonRoot"]
    assert template["spec"]["enableServiceLinks"] is False
    (container,) = template["spec"]["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    labels = template["metadata"]["labels"].items()
    assert deployed["spec"]["selector"]["matchLabels"].items() <= labels
    assert MONITOR["spec"]["selector"]["matchLabels"].items() <= labels, "Prometheus reads both, as one job"
    assert MONITOR["spec"]["podMetricsEndpoints"][0]["port"] == container["ports"][0]["name"]


def test_one_notifier_tells_whom_its_table_names_and_is_read_where_it_listens(tmp_path: Path) -> None:
    assert WORKER["spec"]["selector"] != NOTIFY["spec"]["selector"]
    assert (NOTIFY["spec"]["replicas"], NOTIFY["spec"]["strategy"]) == (1, {"type": "Recreate"})
    secret, table = tmp_path / "buyers", tmp_path / "restock.toml"
    secret.write_text("json://127.0.0.1/token", encoding="utf-8")
    text = TABLE["data"]["restock.toml"]
    mounted = {each["name"]: each["mountPath"] for each in NOTIFY_CONTAINER["volumeMounts"]}
    assert f'url_file = "{mounted["secrets"]}/buyers"' in text
    table.write_text(text.replace(f"{mounted['secrets']}/buyers", str(secret)), encoding="utf-8")
    found = load_notify(table, {})
    assert [recipient.name for recipient in found.recipients] == ["buyers"]
    assert found.metrics is not None
    assert found.metrics.port == NOTIFY_CONTAINER["ports"][0]["containerPort"]
    assert NOTIFY_CONTAINER["args"] == ["notify", "--config", f"{mounted['config']}/restock.toml"]
    load(environment={entry["name"]: entry["value"] for entry in NOTIFY_CONTAINER["env"]})
