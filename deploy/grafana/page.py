"""Writes the page of the dashboards for people, docs/operations/dashboards.md, from their description: `make docs`."""

from collections.abc import Iterable, Iterator

from deploy.grafana.panel import Dashboard

HEAD = """# Dashboards

Five pages of Grafana for whoever is on call, each panel a question. They lie in `deploy/grafana/dashboards/` as JSON;
`docker compose up` has them at http://127.0.0.1:3000. They are described in `deploy/grafana/`, and `make docs` writes
the JSON and this page.

- Every panel leads to its runbooks. The variable *runbooks at* says where those are: Compose lets Grafana serve them.
- Dashed lines and colours are the limits of the alert rules, and a test holds them to the rules.
- One job is shown at a time, and shards can be chosen one by one. No series is about an item: `restock item` is.

**The pictures are not Grafana's.** The project's own plotting draws them from the answers of a real Prometheus, which
`make dashboards` asks every query of every panel; it fails where there is no answer. Two workers ran there under the
simulated shop of `restock demo`, whose days of 2024 last a second each, so that watermarks are years old and a "day"
holds many of the shop's; durations of rules and queries were divided by ten. Faults meanwhile are shaded: a worker
was killed (a), records came that nobody can read (b), Redis was stopped (c).
"""


def page(dashboards: Iterable[Dashboard]) -> str:
    """The page as it stands in docs."""
    return HEAD + "".join(part for dashboard in dashboards for part in _dashboard(dashboard))


def _dashboard(dashboard: Dashboard) -> Iterator[str]:
    yield f"\n## {dashboard.name.capitalize()}\n\n{dashboard.description}\n\n"
    yield f"![{dashboard.title}](dashboards/{dashboard.name}.svg)\n\n"
    yield "| question | what is shown | runbooks |\n|---|---|---|\n"
    for panel in dashboard.panels:
        runbooks = ", ".join(f"[{name}](../runbooks/{name}.md)" for name in panel.runbooks)
        yield f"| {panel.title} | {panel.description} | {runbooks} |\n"
