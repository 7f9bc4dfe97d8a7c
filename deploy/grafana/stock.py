"""The dashboard of the shop: what is at risk, what was ordered, and what waits for a person."""

from deploy.grafana.panel import Dashboard, Limit, Panel, Query, Section

STOCK = Dashboard(
    name="stock",
    title="restock / stock",
    description="Is there stock, is it ordered, and does anything wait for a person?",
    sections=(
        Section(
            "Shelves",
            (
                Panel(
                    title="Which share of items is at risk?",
                    description="Items without available stock, or soon without, by class. Class A sells most; "
                    "somebody is woken for it alone.",
                    unit="percentunit",
                    queries=(
                        Query('max by (class) (job_class:restock_items_at_risk:ratio{job=~"$job"})', "class {{class}}"),
                    ),
                    runbooks=("RestockStockOutRisk",),
                    limits=(Limit(0.05, "RestockStockOutRisk", "critical"),),
                ),
                Panel(
                    title="Which share of demand is served from stock?",
                    description="The fill rate of a day, by class: units asked for in closed periods that found stock.",
                    unit="percentunit",
                    queries=(
                        Query(
                            '1 - sum by (class) (increase(restock_unserved_units_total{job=~"$job"}[1d])) / '
                            '(sum by (class) (increase(restock_demand_units_total{job=~"$job"}[1d])) > 0)',
                            "class {{class}}",
                        ),
                    ),
                    runbooks=("RestockStockOutRisk", "StockOut"),
                ),
                Panel(
                    title="How many items are there?",
                    description="Items that the workers hold, by class. It falls while a shard has no worker.",
                    unit="short",
                    queries=(Query('sum by (class) (restock_items_tracked{job=~"$job"})', "class {{class}}"),),
                    runbooks=("RestockShardNotHeld",),
                ),
                Panel(
                    title="Which alerts of stock are open?",
                    description="Alerts raised and not cleared, by kind. Which items they are about is on the topic of "
                    "alerts, and in `restock items --alert`.",
                    unit="short",
                    queries=(
                        Query('sum by (kind) (restock_alerts_open{job=~"$job"}) > 0', "{{kind}}", "while all is well"),
                    ),
                    runbooks=("StockOut", "LowStock", "ProjectedStockOut", "OverdueReplenishment", "Overstock"),
                ),
                Panel(
                    title="How much is asked for?",
                    description="Units asked for within a day of closed periods, by class.",
                    unit="short",
                    queries=(
                        Query(
                            'sum by (class) (increase(restock_demand_units_total{job=~"$job"}[1d]))', "class {{class}}"
                        ),
                    ),
                    runbooks=("RestockOrderQuantitySpike", "DemandShift"),
                ),
                Panel(
                    title="Does more come in than was ordered?",
                    description="Receipts of a day for replenishments that are not open: a supplier delivers twice, or "
                    "names a wrong one.",
                    unit="short",
                    queries=(Query('sum(increase(restock_unordered_receipts_total{job=~"$job"}[1d]))', "receipts"),),
                    runbooks=("OverdueReplenishment",),
                ),
            ),
        ),
        Section(
            "Orders",
            (
                Panel(
                    title="Is anything reviewed and ordered?",
                    description="Reviews and replenishments within a day. Reviews without any order, while items are "
                    "at risk, are a fault.",
                    unit="short",
                    queries=(
                        Query('sum(increase(restock_reviews_total{job=~"$job"}[1d]))', "reviews"),
                        Query('sum by (kind) (increase(restock_decisions_total{job=~"$job"}[1d]))', "{{kind}}"),
                    ),
                    runbooks=("RestockReplenishmentSilent",),
                ),
                Panel(
                    title="Is far more ordered than usual?",
                    description="Units ordered within a day, and the two lines that an order beyond reason crosses: "
                    "three times an average day of the week before, and one and a half times the day's demand.",
                    unit="short",
                    queries=(
                        Query('sum(job:restock_requested_units:increase_1d{job=~"$job"})', "ordered"),
                        Query(
                            "3 * sum(increase(restock_ordered_units_total"
                            '{job=~"$job", kind="requested"}[7d] offset 1d)) / 7',
                            "3 × usual",
                            "in the first day",
                        ),
                        Query('1.5 * sum(increase(restock_demand_units_total{job=~"$job"}[1d]))', "1.5 × demand"),
                    ),
                    runbooks=("RestockOrderQuantitySpike",),
                ),
                Panel(
                    title="How long has a proposal waited?",
                    description="The age of the oldest proposal that no person has answered, to the hour.",
                    unit="s",
                    queries=(
                        Query(
                            'time() - min by (job) (restock_oldest_proposal_timestamp_seconds{job=~"$job"} > 0)',
                            "{{job}}",
                            "while no proposal waits",
                        ),
                    ),
                    runbooks=("RestockProposalWaiting",),
                    limits=(Limit(2 * 86400, "RestockProposalWaiting", "critical"),),
                ),
                Panel(
                    title="Which policies order?",
                    description="Replenishments within a day, by the policy that decided them.",
                    unit="short",
                    queries=(
                        Query('sum by (policy) (increase(restock_decisions_total{job=~"$job"}[1d])) > 0', "{{policy}}"),
                    ),
                    runbooks=("RestockPolicyFallback", "RestockReplenishmentSilent"),
                ),
                Panel(
                    title="Which share of decisions do guardrails cut?",
                    description="Decisions of six hours that a guardrail had to cut because forecast or policy were "
                    "beyond reason. Minimum orders, cartons and room are not counted.",
                    unit="percentunit",
                    queries=(
                        Query(
                            "sum by (job) (increase(restock_guardrail_clamps_total"
                            '{job=~"$job", guardrail=~"not_finite|negative|demand_cap|beyond_facts"}[6h])) / '
                            '(sum by (job) (increase(restock_decisions_total{job=~"$job"}[6h])) >= 50)',
                            "{{job}}",
                            "while fewer than 50 decisions were made in six hours",
                        ),
                    ),
                    runbooks=("RestockGuardrailHits",),
                    limits=(Limit(0.02, "RestockGuardrailHits", "warning"),),
                ),
                Panel(
                    title="Which guardrails act?",
                    description="Quantities of a day that each guardrail changed.",
                    unit="short",
                    queries=(
                        Query(
                            'sum by (guardrail) (increase(restock_guardrail_clamps_total{job=~"$job"}[1d]))',
                            "{{guardrail}}",
                        ),
                    ),
                    runbooks=("RestockGuardrailHits",),
                ),
            ),
        ),
    ),
)
