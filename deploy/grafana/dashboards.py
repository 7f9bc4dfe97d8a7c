"""All dashboards, their JSON in `dashboards/` and their page in docs: `make docs` writes both."""

from pathlib import Path

from deploy.grafana.as_grafana import as_grafana
from deploy.grafana.fleet import FLEET
from deploy.grafana.flow import FLOW
from deploy.grafana.learning import LEARNING
from deploy.grafana.page import page
from deploy.grafana.shard import SHARD
from deploy.grafana.stock import STOCK

DASHBOARDS = (FLEET, FLOW, STOCK, LEARNING, SHARD)
WRITTEN = Path(__file__).parent / "dashboards"
PAGE = Path(__file__).parents[2] / "docs/operations/dashboards.md"


def files() -> dict[Path, str]:
    """The JSON of every dashboard, by the file in which it stands."""
    return {WRITTEN / f"restock-{described.name}.json": as_grafana(described) for described in DASHBOARDS}


if __name__ == "__main__":
    for path, text in (files() | {PAGE: page(DASHBOARDS)}).items():
        path.write_text(text, encoding="utf-8")
