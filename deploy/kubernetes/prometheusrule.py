"""Writes the alert rules as a PrometheusRule, for clusters where the Prometheus operator loads them: `make docs`.

The text of the rules goes in as it is, so that its comments stay.
"""

from pathlib import Path
from textwrap import indent

HERE = Path(__file__).parent
RULES = HERE.parent / "prometheus" / "rules" / "restock.yml"
WRITTEN = HERE / "prometheusrule.yaml"
HEAD = """\
# Made of deploy/prometheus/rules/restock.yml by `make docs`: change it there. The operator's `ruleSelector` has to
# match the labels. The job that it makes of a ServiceMonitor or PodMonitor has to have `restock` in its name.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: restock
  labels: {app.kubernetes.io/name: restock, role: alert-rules}
spec:
"""


def prometheus_rule() -> str:
    """The whole document."""
    rules = RULES.read_text(encoding="utf-8")
    return HEAD + indent(rules[rules.index("groups:\n") :], "  ")


if __name__ == "__main__":
    WRITTEN.write_text(prometheus_rule(), encoding="utf-8")
