"""The dashboard of the way of an event: read, understood, written to the ledger, folded, decided and published."""

from deploy.grafana.panel import Dashboard, Limit, Panel, Query, Section

FLOW = Dashboard(
    name="flow",
    title="restock / flow",
    description="Do events come in, are they understood, and are decisions made of them in time?",
    sections=(
        Section(
            "In time",
            (
                Panel(
                    title="How late are decisions?",
                    description="From Kafka's receipt of an event to the commit of what came of it: the median, and "
                    "what one in a hundred exceeds. The objective is one second.",
                    unit="s",
                    queries=(
                        Query(
                            "histogram_quantile(0.5, sum by (le) "
                            '(rate(restock_decision_latency_seconds_bucket{job=~"$job"}[$__rate_interval])))',
                            "median",
                        ),
                        Query(
                            "histogram_quantile(0.99, sum by (le) "
                            '(rate(restock_decision_latency_seconds_bucket{job=~"$job"}[$__rate_interval])))',
                            "99 of 100",
                        ),
                    ),
                    runbooks=("RestockFreshnessBudgetBurn",),
                    limits=(Limit(1.0, "RestockFreshnessBudgetBurn", "critical"),),
                ),
                Panel(
                    title="How fast is the budget of late decisions used up?",
                    description="The share of decisions later than a second: 0.5 % is allowed. Somebody is woken at "
                    "7.2 % over both an hour and five minutes, and at 3 % over both six hours and thirty minutes.",
                    unit="percentunit",
                    queries=(
                        Query('max(job:restock_late_decisions:ratio_5m{job=~"$job"})', "5 minutes"),
                        Query('max(job:restock_late_decisions:ratio_30m{job=~"$job"})', "30 minutes"),
                        Query('max(job:restock_late_decisions:ratio_1h{job=~"$job"})', "an hour"),
                        Query('max(job:restock_late_decisions:ratio_6h{job=~"$job"})', "six hours"),
                    ),
                    runbooks=("RestockFreshnessBudgetBurn",),
                    limits=(
                        Limit(6 * 0.005, "RestockFreshnessBudgetBurn", "critical"),
                        Limit(14.4 * 0.005, "RestockFreshnessBudgetBurn", "critical"),
                    ),
                ),
                Panel(
                    title="How many records wait?",
                    description="Records of source feeds that are not in the ledger yet, and records of the ledger "
                    "that are not folded yet. Measured from the ends that Kafka named last.",
                    unit="short",
                    queries=(
                        Query('sum(restock_feed_lag_records{job=~"$job"})', "for intake"),
                        Query(
                            'sum(max by (job, partition) (restock_ledger_lag_records{job=~"$job"}))', "for the shards"
                        ),
                    ),
                    runbooks=("RestockIntakeBehind", "RestockIntakeStuck", "RestockLagGrowing"),
                    limits=(Limit(10000, "RestockIntakeBehind", "warning"),),
                ),
            ),
        ),
        Section(
            "Intake",
            (
                Panel(
                    title="Do events come in?",
                    description="Events that intake accepted each second, and all others, as duplicates. Silence "
                    "is a shop at night, or a producer that stands still.",
                    unit="cps",
                    queries=(
                        Query(
                            'sum(rate(restock_events_total{job=~"$job", verdict="accepted"}[$__rate_interval]))',
                            "accepted",
                        ),
                        Query(
                            'sum(rate(restock_events_total{job=~"$job", verdict!="accepted"}[$__rate_interval]))',
                            "everything else",
                        ),
                    ),
                    runbooks=("RestockNoEvents", "RestockIntakeStuck"),
                ),
                Panel(
                    title="Is that what came yesterday?",
                    description="Accepted events of a quarter of an hour, and of the same quarter a day before.",
                    unit="short",
                    queries=(
                        Query('sum(increase(restock_events_total{job=~"$job", verdict="accepted"}[15m]))', "now"),
                        Query(
                            'sum(increase(restock_events_total{job=~"$job", verdict="accepted"}[15m] offset 1d))',
                            "a day before",
                            "in the first day",
                        ),
                    ),
                    runbooks=("RestockNoEvents",),
                ),
                Panel(
                    title="Which events come?",
                    description="Events read each second, by type. One that is missing tells of its producer.",
                    unit="cps",
                    queries=(
                        Query(
                            'sum by (type) (rate(restock_events_total{job=~"$job"}[$__rate_interval])) > 0', "{{type}}"
                        ),
                    ),
                    runbooks=("RestockNoEvents", "RestockDeadLetterRate"),
                ),
                Panel(
                    title="Which source feed is behind?",
                    description="Records that are not in the ledger yet, by topic.",
                    unit="short",
                    queries=(Query('sum by (topic) (restock_feed_lag_records{job=~"$job"})', "{{topic}}"),),
                    runbooks=("RestockIntakeBehind", "RestockIntakeStuck"),
                    limits=(Limit(10000, "RestockIntakeBehind", "warning"),),
                ),
                Panel(
                    title="Are source feeds parked or silent?",
                    description="A parked feed waits for a person. A silent one holds time back no more: what it "
                    "brings later counts as late.",
                    unit="short",
                    queries=(
                        Query('sum(restock_feeds_parked{job=~"$job"})', "parked"),
                        Query('max(restock_silent_feeds{job=~"$job"})', "silent"),
                    ),
                    runbooks=("RestockFeedParked", "RestockFeedSilent"),
                    limits=(Limit(0, "RestockFeedParked", "critical"),),
                ),
                Panel(
                    title="Were events deleted unread?",
                    description="Source records that Kafka deleted within an hour before intake read them. They are "
                    "lost unless they are published again.",
                    unit="short",
                    queries=(Query('sum(increase(restock_feed_records_lost_total{job=~"$job"}[1h]))', "lost"),),
                    runbooks=("RestockFeedRecordsLost",),
                    limits=(Limit(0, "RestockFeedRecordsLost", "critical"),),
                ),
            ),
        ),
        Section(
            "Dead letters",
            (
                Panel(
                    title="Which share of events is refused?",
                    description="Dead letters as a share of the events of a quarter of an hour. What they say is "
                    "missing from stock and demand.",
                    unit="percentunit",
                    queries=(
                        Query(
                            'sum by (job) (increase(restock_dead_letters_total{job=~"$job"}[15m])) / '
                            '(job:restock_events:increase_15m{job=~"$job"} > 0)',
                            "{{job}}",
                        ),
                    ),
                    runbooks=("RestockDeadLetterRate",),
                    limits=(
                        Limit(0.01, "RestockDeadLetterRate", "warning"),
                        Limit(0.2, "RestockDeadLetterRate", "critical"),
                    ),
                ),
                Panel(
                    title="Why are events refused?",
                    description="Dead letters each second, by reason; docs/contract says what each means.",
                    unit="cps",
                    queries=(
                        Query(
                            'sum by (reason) (rate(restock_dead_letters_total{job=~"$job"}[$__rate_interval])) > 0',
                            "{{reason}}",
                            "while nothing is refused",
                        ),
                    ),
                    runbooks=("RestockDeadLetterRate",),
                ),
                Panel(
                    title="Does the topic of dead letters take them?",
                    description="1 while it refuses: then every source feed of that worker waits.",
                    unit="bool_yes_no",
                    queries=(Query('max by (instance) (restock_dead_letters_blocked{job=~"$job"})', "{{instance}}"),),
                    runbooks=("RestockDeadLettersBlocked",),
                    limits=(Limit(0, "RestockDeadLettersBlocked", "critical"),),
                ),
            ),
        ),
        Section(
            "Through the ledger",
            (
                Panel(
                    title="Does the fold keep up with intake?",
                    description="Movements written to the ledger each second, and movements applied. Replays apply "
                    "more than is written.",
                    unit="cps",
                    queries=(
                        Query('sum(rate(restock_movements_written_total{job=~"$job"}[$__rate_interval]))', "written"),
                        Query('sum(rate(restock_movements_applied_total{job=~"$job"}[$__rate_interval]))', "applied"),
                    ),
                    runbooks=("RestockLagGrowing", "RestockPartitionStuck"),
                ),
                Panel(
                    title="How long does a batch take, in which stage?",
                    description="What one batch in a hundred exceeds, by stage. Decode is part of intake, review and "
                    "publish are parts of fold.",
                    unit="s",
                    queries=(
                        Query(
                            "histogram_quantile(0.99, sum by (stage, le) "
                            '(rate(restock_stage_seconds_bucket{job=~"$job"}[$__rate_interval])))',
                            "{{stage}}",
                        ),
                    ),
                    runbooks=("RestockFreshnessBudgetBurn", "RestockLagGrowing"),
                ),
                Panel(
                    title="Where is the time spent?",
                    description="Seconds that each stage takes of a second, over all workers.",
                    unit="percentunit",
                    queries=(
                        Query(
                            'sum by (stage) (rate(restock_stage_seconds_sum{job=~"$job"}[$__rate_interval]))',
                            "{{stage}}",
                        ),
                    ),
                    runbooks=("RestockLagGrowing",),
                ),
                Panel(
                    title="Which stages fail?",
                    description="Batches that failed in a stage within a quarter of an hour. They are tried again.",
                    unit="short",
                    queries=(
                        Query('sum by (stage) (increase(restock_stage_failures_total{job=~"$job"}[15m]))', "{{stage}}"),
                    ),
                    runbooks=("RestockBrokerErrors", "RestockStoreErrors", "RestockPartitionStuck"),
                ),
                Panel(
                    title="How large are batches?",
                    description="Ledger records of a batch, on average. Large ones are a backlog being worked off.",
                    unit="short",
                    queries=(
                        Query(
                            'sum(rate(restock_batch_records_sum{job=~"$job"}[$__rate_interval])) / '
                            '(sum(rate(restock_batch_records_count{job=~"$job"}[$__rate_interval])) > 0)',
                            "records",
                        ),
                    ),
                    runbooks=("RestockLagGrowing",),
                ),
                Panel(
                    title="What is dropped or comes late?",
                    description="Each second: duplicates that were dropped, movements of a closed period, orphans that "
                    "come again. Duplicates are harmless; a producer that sends many should know.",
                    unit="cps",
                    queries=(
                        Query(
                            'sum by (kind) (rate(restock_duplicates_dropped_total{job=~"$job"}[$__rate_interval]))',
                            "{{kind}} duplicates",
                        ),
                        Query('sum(rate(restock_late_events_total{job=~"$job"}[$__rate_interval]))', "late"),
                        Query('sum(rate(restock_orphans_dropped_total{job=~"$job"}[$__rate_interval]))', "orphans"),
                    ),
                    runbooks=("RestockFeedSilent", "RestockDeadLetterRate"),
                ),
                Panel(
                    title="Are outputs too large?",
                    description="Outputs of an hour that were published without what they copy of their cause, because "
                    "Kafka takes no larger record.",
                    unit="short",
                    queries=(Query('sum(increase(restock_oversize_outputs_total{job=~"$job"}[1h]))', "outputs"),),
                    runbooks=("RestockBrokerErrors",),
                ),
            ),
        ),
    ),
)
