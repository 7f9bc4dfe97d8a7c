"""Makes Grafana's JSON of a dashboard, with Grafana's own library of types.

What links to a dashboard or panel goes on leading there: a dashboard's uid is made of its name, and a panel's id of its
title.
"""

from zlib import crc32

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common as common_models
from grafana_foundation_sdk.models import dashboard as models

from deploy.grafana.panel import Dashboard, Limit, Panel, Section

SOURCE = models.DataSourceRef(type_val="prometheus", uid="${datasource}")
COLOURS = {"critical": "red", "warning": "orange", "info": "blue"}
FIRING = 'ALERTS{job=~"$job", alertname=~"Restock.+", alertstate="firing", severity=~"critical|warning"}'
RUNBOOKS = "/public/runbooks"
"""Where docker-compose.yml lets Grafana serve docs/runbooks; elsewhere `$runbooks` is set to where they are."""
ALL = models.VariableOption(selected=True, text="All", value="$__all")
ACROSS = {True: 6, False: 8}
"""Columns of the twenty-four that a panel takes: one that shows the newest numbers only, or one with lines."""


def as_grafana(described: Dashboard) -> str:
    """The JSON of a dashboard."""
    made = (
        dashboard.Dashboard(described.title)
        .uid(f"restock-{described.name}")
        .description(described.description)
        .tags(["restock"])
        .readonly()
        .time("now-6h", "now")
        .refresh("30s")
        .timezone("browser")
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .link(
            dashboard.DashboardLink("restock")
            .type(models.DashboardLinkType.DASHBOARDS)
            .tags(["restock"])
            .keep_time(keep_time=True)
            .include_vars(include_vars=True)
        )
        .annotation(
            dashboard.AnnotationQuery()
            .name("firing alerts")
            .datasource(SOURCE)
            .enable(enable=True)
            .icon_color("red")
            .expr(FIRING)
        )
        .with_variable(dashboard.DatasourceVariable("datasource").label("Prometheus").type("prometheus"))
        .with_variable(_chosen("job", "label_values(restock_build_info, job)"))
    )
    if described.by_partition:
        shards = _chosen("partition", 'label_values(restock_shard_held{job=~"$job"}, partition)')
        made.with_variable(shards.multi(multi=True).include_all(include_all=True).all_value(".+").current(ALL))
    made.with_variable(
        dashboard.TextBoxVariable("runbooks")
        .label("runbooks at")
        .default_value(RUNBOOKS)
        .current(models.VariableOption(selected=True, text=RUNBOOKS, value=RUNBOOKS))
    )
    for section in described.sections:
        made.with_row(dashboard.Row(section.title).id(_number(described, section.title)))
        for panel in section.panels:
            made.with_panel(_panel(described, section, panel))
    return JSONEncoder(sort_keys=True, indent=1).encode(made.build()) + "\n"


def _number(described: Dashboard, title: str) -> int:
    return crc32(f"{described.name}/{title}".encode()) % 1_000_000


def _chosen(name: str, query: str) -> dashboard.QueryVariable:
    """A variable with the values that Prometheus has, the first of them to begin with."""
    return (
        dashboard.QueryVariable(name)
        .label(name)
        .datasource(SOURCE)
        .query(query)
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(models.VariableSort.NUMERICAL_ASC)
    )


def _panel(described: Dashboard, section: Section, panel: Panel) -> stat.Panel | timeseries.Panel:
    made = _numbers(panel) if panel.now else _lines(panel)
    for letter, query in zip("ABCDEFGH", panel.queries, strict=False):
        target = prometheus.Dataquery().expr(query.expr).legend_format(query.legend).ref_id(letter).datasource(SOURCE)
        made.with_target(target.instant() if panel.now else target.range())
    return (
        made.id(_number(described, f"{section.title}/{panel.title}"))
        .title(panel.title)
        .description(panel.description)
        .unit(panel.unit)
        .datasource(SOURCE)
        .span(ACROSS[panel.now])
        .height(4 if panel.now else 8)
        .no_value("nothing")
        .links([_runbook(name) for name in panel.runbooks])
    )


def _numbers(panel: Panel) -> stat.Panel:
    """The newest numbers, large."""
    return (
        stat.Panel()
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .text_mode(common_models.BigValueTextMode.VALUE_AND_NAME)
        .graph_mode(common_models.BigValueGraphMode.NONE)
        .color_mode(
            common_models.BigValueColorMode.BACKGROUND if panel.limits else common_models.BigValueColorMode.NONE
        )
        .thresholds(_thresholds(panel.limits))
    )


def _lines(panel: Panel) -> timeseries.Panel:
    """Lines over time, with a dashed line at each limit."""
    made = (
        timeseries.Panel()
        .line_width(1)
        .fill_opacity(8)
        .show_points(common_models.VisibilityMode.NEVER)
        .legend(
            common.VizLegendOptions()
            .show_legend(show_legend=True)
            .placement(common_models.LegendPlacement.BOTTOM)
            .display_mode(common_models.LegendDisplayMode.LIST)
        )
        .tooltip(
            common.VizTooltipOptions()
            .mode(common_models.TooltipDisplayMode.MULTI)
            .sort(common_models.SortOrder.DESCENDING)
        )
        .thresholds(_thresholds(panel.limits))
    )
    if panel.limits:
        dashed = common_models.GraphThresholdsStyleMode.DASHED
        made.thresholds_style(common.GraphThresholdsStyleConfig().mode(dashed))
    return made


def _thresholds(limits: tuple[Limit, ...]) -> dashboard.ThresholdsConfig:
    """Steps from below upwards: each colours what is at or above it."""
    steps = [models.Threshold(value=None, color="green")]
    for limit in limits:
        colour = COLOURS[limit.severity]
        if limit.below:
            steps = [models.Threshold(value=None, color=colour), models.Threshold(value=limit.line, color="green")]
        else:
            steps.append(models.Threshold(value=limit.line, color=colour))
    return dashboard.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(steps)


def _runbook(name: str) -> dashboard.DashboardLink:
    return (
        dashboard.DashboardLink(f"Runbook: {name}")
        .type(models.DashboardLinkType.LINK)
        .url(f"${{runbooks:raw}}/{name}.md")
        .target_blank(target_blank=True)
    )
