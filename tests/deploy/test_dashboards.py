"""The dashboards: about what a worker exports, each panel described and with its page, limits as in the alert rules.

That a real Prometheus has an answer to every query is shown by `make dashboards`.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.grafana.as_grafana import FIRING
from deploy.grafana.dashboards import DASHBOARDS, PAGE, files
from deploy.grafana.page import page
from deploy.grafana.panel import Dashboard, Panel, Query, filled
from tests.deploy.expressions import EXPORTED, RECORDED, Question, compared

ROOT = Path(__file__).parents[2]
RULES = [
    rule
    for group in yaml.safe_load((ROOT / "deploy/prometheus/rules/restock.yml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]
ALERTS = [rule for rule in RULES if "alert" in rule]
RECORDS = {rule["record"]: rule["expr"] for rule in RULES if "record" in rule}
PANELS = {
    f"{dashboard.name}: {panel.title}": (dashboard, panel) for dashboard in DASHBOARDS for panel in dashboard.panels
}
QUERIES = {f"{title} {query.legend}": query for title, (_, panel) in PANELS.items() for query in panel.queries}
LIMITED = {title: panel for title, (_, panel) in PANELS.items() if panel.limits}
SHOWN = {path.name: json.loads(text) for path, text in files().items()}
"""What Grafana reads."""


def asked(query: Query) -> Question:
    return Question(filled(query.expr, "1m"))


def metrics_of(expression: str) -> set[str]:
    """The metrics of an expression, and of the recorded series that it uses."""
    names = Question(expression).names
    return names.union(*(Question(RECORDS[name]).names for name in names & RECORDS.keys()))


# What is asked --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES.keys())
def test_a_query_is_about_what_a_worker_exports(query: Query) -> None:
    question = asked(query)
    assert question.problems == []
    assert question.names <= EXPORTED.keys() | RECORDED.keys()
    named = set(re.findall(r"\{\{(\w+)\}\}", query.legend))
    beside = {"job"} if "instance" in named else set()  # one job is chosen
    assert named | beside == question.labels | beside
    assert 'job=~"$job"' in query.expr


@pytest.mark.parametrize(
    "expression,problem",
    [
        ("restock_events_total", "restock_events_total only grows: ask for its rate or increase"),
        ("deriv(restock_events_total[5m])", "restock_events_total only grows: ask for its rate or increase"),
        ("rate(restock_shard_held[5m])", "restock_shard_held goes up and down: it has no rate"),
        ("rate(restock_event_total[5m])", "no worker exports restock_event_total"),
        ("rate(restock_stage_seconds[5m])", "no worker exports restock_stage_seconds"),
        ("sum by (topic) (restock_shard_held)", "sum by ['topic'], which is not there"),
        ("sum by (job, sku) (sum by (job) (restock_shard_held))", "sum by ['sku'], which is not there"),
        ('restock_shard_held{shard="1"}', "restock_shard_held has no label shard"),
        ('rate(restock_stage_seconds_sum{stage="checkpoints"}[5m])', "stage of restock_stage_seconds_sum is never che"),
        ('restock_alerts_open{class=~"A|D"}', "class of restock_alerts_open is never D"),
        ("sum by (stage) (rate(restock_stage_seconds_bucket[5m]))", "restock_stage_seconds_bucket is for quantiles"),
        ("histogram_quantile(0.9, sum by (le) (rate(restock_reviews_total[5m])))", "restock_reviews_total has no quan"),
        (
            "histogram_quantile(0.9, sum (rate(restock_stage_seconds_bucket[5m])))",
            "histogram_quantile of what has no le",
        ),
        ("sum by (job) (restock_shards_parked) / sum(restock_shards_owned)", "['job'] never match []"),
        ("restock_shard_held and on (class) restock_items_tracked", "not on both sides: on (class)"),
        ('job:restock_events:increase_15m{class="A"}', "job:restock_events:increase_15m has no ['class']"),
        ("job:restock_events:increase_5m", "no worker exports job:restock_events:increase_5m"),
    ],
)
def test_a_wrong_query_is_seen(expression: str, problem: str) -> None:
    assert any(found.startswith(problem) for found in Question(expression).problems), Question(expression).problems


def test_every_metric_has_a_place_on_a_dashboard() -> None:
    names = set[str]().union(*(metrics_of(filled(query.expr, "1m")) for query in QUERIES.values()))
    others = {  # others say the same, better
        "restock_feed_position",
        "restock_feed_records_lost_timestamp_seconds",
        "restock_process_virtual_memory_bytes",
    }
    parts = {name for name in EXPORTED if re.search(r"_(bucket|count|sum)$", name)}
    assert EXPORTED.keys() - names - parts - others == set()
    assert {re.sub(r"_(bucket|count|sum)$", "", name) for name in parts - names} <= {
        re.sub(r"_(bucket|count|sum)$", "", name) for name in names
    }


# Panels ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dashboard,panel", PANELS.values(), ids=PANELS.keys())
def test_a_panel_says_what_it_shows_in_which_unit_and_what_to_do(dashboard: Dashboard, panel: Panel) -> None:
    assert panel.title.endswith("?")
    assert panel.description.endswith(".")
    assert len(panel.description) > 40
    assert panel.queries
    assert panel.runbooks
    assert all((ROOT / f"docs/runbooks/{name}.md").is_file() for name in panel.runbooks)
    assert dashboard.by_partition or not any("$partition" in query.expr for query in panel.queries)


@pytest.mark.parametrize("panel", LIMITED.values(), ids=LIMITED.keys())
def test_a_limit_is_that_of_the_alert_rule(panel: Panel) -> None:
    assert len({limit.below for limit in panel.limits}) == 1
    assert [limit.line for limit in panel.limits] == sorted(limit.line for limit in panel.limits)
    for limit in panel.limits:
        assert limit.alert in panel.runbooks
        rules = [r for r in ALERTS if (r["alert"], r["labels"]["severity"]) == (limit.alert, limit.severity)]
        recorded = [RECORDS[name] for rule in rules for name in Question(rule["expr"]).names & RECORDS.keys()]
        numbers = [
            number for expression in [rule["expr"] for rule in rules] + recorded for number in compared(expression)
        ]
        assert round(limit.at, 9) in numbers, limit


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: f"{rule['alert']}-{rule['labels']['severity']}")
def test_what_an_alert_is_about_is_shown_by_a_panel_that_leads_to_its_page(rule: dict[str, Any]) -> None:
    if rule["labels"]["layer"] == "watchdog":
        return
    own = metrics_of(rule["expr"])
    assert [
        panel.title
        for dashboard in DASHBOARDS
        for panel in dashboard.panels
        if rule["alert"] in panel.runbooks
        and any(own & metrics_of(filled(query.expr, "1m")) for query in panel.queries)
    ]


# What Grafana reads ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path,text", [pytest.param(*each, id=each[0].name) for each in files().items()])
def test_the_files_are_what_the_description_says(path: Path, text: str) -> None:
    assert path.read_text(encoding="utf-8") == text, "make docs"


def test_the_page_is_what_the_description_says_and_has_a_small_picture_of_each() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(DASHBOARDS), "make docs"
    pictures = [PAGE.with_suffix("") / f"{dashboard.name}.svg" for dashboard in DASHBOARDS]
    assert sum(picture.stat().st_size for picture in pictures) < 1_000_000
    for dashboard, picture in zip(DASHBOARDS, pictures, strict=True):
        drawn = picture.read_text(encoding="utf-8")
        assert all(panel.title in drawn for panel in dashboard.panels), "make dashboards"


def test_no_other_dashboard_lies_beside_them() -> None:
    folder = ROOT / "deploy/grafana/dashboards"
    assert {path.name for path in folder.iterdir()} == SHOWN.keys()
    provider = yaml.safe_load((ROOT / "deploy/grafana/provisioning/dashboards/restock.yml").read_text("utf-8"))
    mounted = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))["services"]["grafana"]["volumes"]
    assert f"./deploy/grafana/dashboards:{provider['providers'][0]['options']['path']}:ro" in mounted


def test_links_and_variables_go_where_they_say() -> None:
    uids = [dashboard["uid"] for dashboard in SHOWN.values()]
    assert uids == [f"restock-{name}" for name in ("fleet", "flow", "stock", "learning", "shard")]
    mounted = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))["services"]["grafana"]["volumes"]
    for dashboard in SHOWN.values():
        variables = {each["name"]: each for each in dashboard["templating"]["list"]}
        assert variables.keys() - {"partition"} == {"datasource", "job", "runbooks"}
        assert f"./docs/runbooks:/usr/share/grafana{variables['runbooks']['query']}:ro" in mounted
        ids = [panel["id"] for panel in dashboard["panels"]]
        assert len(ids) == len(set(ids))
        used = set(re.findall(r"\$\{?(\w+)", json.dumps(dashboard["panels"] + dashboard["annotations"]["list"])))
        assert used - {"__rate_interval"} == variables.keys()
        for panel in dashboard["panels"]:
            if panel["type"] != "row":
                assert panel["fieldConfig"]["defaults"]["unit"]
                assert all(link["url"].startswith("${runbooks:raw}/") for link in panel["links"])
                assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])


def test_ids_of_panels_stay_while_others_come_and_go() -> None:
    fleet = next(path for path in files() if path.name == "restock-fleet.json")
    ids = {panel["title"]: panel["id"] for panel in json.loads(fleet.read_text(encoding="utf-8"))["panels"]}
    assert ids["How many alerts fire?"] == 577301


def test_panels_do_not_lie_on_each_other() -> None:
    for dashboard in SHOWN.values():
        taken: set[tuple[int, int]] = set()
        for panel in dashboard["panels"]:
            place = panel["gridPos"]
            cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
            assert not cells & taken
            assert max(x for x, _ in cells) < 24
            taken |= cells


def test_variables_and_annotations_ask_for_what_is_there() -> None:
    assert Question(filled(FIRING, "1m")).problems == []
    for dashboard in SHOWN.values():
        for variable in dashboard["templating"]["list"]:
            if variable["type"] == "query":
                series, label = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"]).groups()  # type: ignore[union-attr]
                question = Question(filled(series, "1m"))
                assert question.problems == []
                assert label in question.labels
