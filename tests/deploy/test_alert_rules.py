"""The alert rules: complete, about metrics that a worker exports, each with its page, and silenced as decided in 0054.

What the rules find at which numbers is tested by Prometheus itself: `make rules`.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import yaml

from tests.deploy.expressions import Question

ROOT = Path(__file__).parents[2]
RULES: dict[str, Any] = yaml.safe_load((ROOT / "deploy/prometheus/rules/restock.yml").read_text(encoding="utf-8"))
ALERTMANAGER: dict[str, Any] = yaml.safe_load((ROOT / "deploy/alertmanager/alertmanager.yml").read_text("utf-8"))
ALERTS = [rule for group in RULES["groups"] for rule in group["rules"] if "alert" in rule]
Labels: TypeAlias = dict[str, str]
UNIT_TESTS: list[dict[str, Any]] = [
    case
    for file in sorted((ROOT / "deploy/prometheus/tests").glob("*.yml"))
    for group in yaml.safe_load(file.read_text(encoding="utf-8"))["tests"]
    for case in group.get("alert_rule_test", [])
]


def severity_and_name(rule: dict[str, Any]) -> str:
    return f"{rule['alert']}-{rule['labels']['severity']}"


def fired(rule: dict[str, Any]) -> list[Labels]:
    """The labels with which Prometheus fires this rule in its unit tests."""
    return [
        {"alertname": case["alertname"], **alert["exp_labels"]}
        for case in UNIT_TESTS
        for alert in case["exp_alerts"]
        if case["alertname"] == rule["alert"] and alert["exp_labels"]["severity"] == rule["labels"]["severity"]
    ]


def labels_of(rule: dict[str, Any]) -> set[str]:
    """The names of the labels that an alert of this rule certainly has."""
    return set.intersection(*(set(labels) for labels in fired(rule)))


def matches(matchers: list[str], labels: Labels) -> bool:
    """Whether labels satisfy all matchers, as Alertmanager compares them."""
    for matcher in matchers:
        name, operator, value = re.fullmatch(r'(\w+) (=|!=|=~|!~) "([^"]*)"', matcher).groups()  # type: ignore[union-attr]
        found = labels.get(name, "")
        same = bool(re.fullmatch(value, found)) if "~" in operator else value == found
        if same == operator.startswith("!"):
            return False
    return True


def silenced(target: Labels, sources: list[Labels]) -> bool:
    """Whether one of the firing sources silences the target."""
    return any(
        matches(rule["target_matchers"], target)
        and matches(rule["source_matchers"], source)
        and all(source.get(name, "") == target.get(name, "") for name in rule["equal"])
        for rule in ALERTMANAGER["inhibit_rules"]
        for source in sources
    )


def firing(name: str, severity: str | None = None, **labels: str) -> Labels:
    """The labels of an alert as it fires."""
    (rule, *_) = [r for r in ALERTS if r["alert"] == name and severity in {None, r["labels"]["severity"]}]
    assert set(labels) <= labels_of(rule), f"{name} has no such label"
    return {"alertname": name, **rule["labels"], **labels}


@pytest.mark.parametrize("rule", ALERTS, ids=severity_and_name)
def test_an_alert_says_what_whom_and_at_what_cost(rule: dict[str, Any]) -> None:
    assert rule["alert"].startswith("Restock")
    assert rule["labels"].keys() == {"severity", "layer"}
    assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    assert rule["labels"]["layer"] in {"cause", "symptom", "own", "watchdog"}
    assert rule["annotations"].keys() == {"summary", "cost", "runbook_url"}
    assert rule["annotations"]["cost"].endswith(".")


@pytest.mark.parametrize("rule", ALERTS, ids=severity_and_name)
def test_the_unit_tests_of_an_alert_show_when_it_fires_and_when_not(rule: dict[str, Any]) -> None:
    assert fired(rule)
    silent = [case for case in UNIT_TESTS if case["alertname"] == rule["alert"] and not case["exp_alerts"]]
    assert silent or rule["labels"]["layer"] == "watchdog"


def test_an_alert_of_one_name_comes_once_for_each_severity() -> None:
    names = [severity_and_name(rule) for rule in ALERTS]
    assert len(names) == len(set(names)) > 25


# Metrics --------------------------------------------------------------------------------------------------------------


QUERIES = {
    f"{page.stem}-{number}": query
    for page in sorted((ROOT / "docs/runbooks").glob("Restock*.md"))
    for block in re.findall(r"^```promql\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    for number, query in enumerate(block.splitlines())
}
EXPRESSIONS = {
    f"{rule.get('alert') or rule['record']}-{number}": rule["expr"]
    for group in RULES["groups"]
    for number, rule in enumerate(group["rules"])
}


@pytest.mark.parametrize("expression", (EXPRESSIONS | QUERIES).values(), ids=(EXPRESSIONS | QUERIES).keys())
def test_an_expression_is_about_what_a_worker_exports(expression: str) -> None:
    assert Question(expression).problems == []


def test_expressions_are_looked_at() -> None:
    assert len(set.union(*(Question(expression).names for expression in EXPRESSIONS.values()))) > 25


# Inhibition -----------------------------------------------------------------------------------------------------------


def pairs() -> Iterator[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]]:
    """Each rule of inhibition with an alert that silences and one that it silences."""
    for rule in ALERTMANAGER["inhibit_rules"]:
        for source in ALERTS:
            for target in ALERTS:
                ends = [{"alertname": alert["alert"], **alert["labels"]} for alert in (source, target)]
                if matches(rule["source_matchers"], ends[0]) and matches(rule["target_matchers"], ends[1]):
                    yield rule, source, target


def test_what_inhibition_compares_is_on_both_sides() -> None:
    """A label that is missing on both sides counts as equal, and would silence other installations' alerts too."""
    found = list(pairs())
    assert len(found) > 30
    for rule, source, target in found:
        if "alertname" in rule["equal"] and source["alert"] != target["alert"]:
            continue
        assert set(rule["equal"]) <= labels_of(source), source["alert"]
        assert set(rule["equal"]) <= labels_of(target), target["alert"]


@pytest.mark.parametrize("rule", ALERTMANAGER["inhibit_rules"], ids=lambda rule: rule["source_matchers"][0])
def test_every_rule_of_inhibition_has_something_to_silence(rule: dict[str, Any]) -> None:
    assert [target["alert"] for used, _, target in pairs() if used is rule]


@pytest.mark.parametrize("cause", ["RestockBrokerUnreachable", "RestockStoreUnreachable", "RestockNoWorker"])
def test_an_outage_silences_what_follows_from_it_in_its_own_job(cause: str) -> None:
    outage = [firing(cause, job="restock")]
    symptoms = [alert for alert in ALERTS if alert["labels"]["layer"] == "symptom"]
    assert len(symptoms) > 8
    for alert in symptoms:
        labels = {"alertname": alert["alert"], **alert["labels"]}
        assert silenced(labels | {"job": "restock"}, outage), alert["alert"]
        assert not silenced(labels | {"job": "restock-two"}, outage), alert["alert"]
    for alert in ALERTS:
        if alert["labels"]["layer"] != "symptom":
            assert not silenced({"alertname": alert["alert"], **alert["labels"], "job": "restock"}, outage)


def test_a_critical_alert_silences_its_own_warning_only() -> None:
    many = firing("RestockDeadLetterRate", "critical", job="restock")
    assert silenced(firing("RestockDeadLetterRate", "warning", job="restock"), [many])
    assert not silenced(firing("RestockGuardrailHits", job="restock"), [many])
    assert not silenced(many, [firing("RestockDeadLetterRate", "warning", job="restock")])


@pytest.mark.parametrize("name", ["RestockShardNotHeld", "RestockPartitionStuck"])
def test_a_shard_that_does_not_move_silences_its_own_lag_only(name: str) -> None:
    stuck = [firing(name, job="restock", partition="4")]
    assert silenced(firing("RestockLagGrowing", job="restock", partition="4"), stuck)
    assert not silenced(firing("RestockLagGrowing", job="restock", partition="5"), stuck)


# Routes ---------------------------------------------------------------------------------------------------------------


def receiver(labels: Labels) -> str:
    routes = [*ALERTMANAGER["route"]["routes"], ALERTMANAGER["route"] | {"matchers": []}]
    return next(str(route["receiver"]) for route in routes if matches(route["matchers"], labels))


@pytest.mark.parametrize("rule", ALERTS, ids=severity_and_name)
def test_an_alert_goes_to_whom_its_severity_says(rule: dict[str, Any]) -> None:
    expected = {"critical": "pager", "warning": "team", "info": "nobody"}[rule["labels"]["severity"]]
    if rule["labels"]["layer"] == "watchdog":
        expected = "watchdog"
    assert receiver(rule["labels"]) == expected
    assert expected in {found["name"] for found in ALERTMANAGER["receivers"]}


# The Prometheus operator ----------------------------------------------------------------------------------------------


def test_the_operator_gets_the_same_rules() -> None:
    resource = yaml.safe_load((ROOT / "deploy/kubernetes/prometheusrule.yaml").read_text(encoding="utf-8"))
    assert (resource["apiVersion"], resource["kind"]) == ("monitoring.coreos.com/v1", "PrometheusRule")
    assert resource["spec"] == RULES, "make docs"
