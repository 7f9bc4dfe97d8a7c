"""The dashboard of the shards: who holds each, whether it moves, and what a change of owner cost."""

from deploy.grafana.panel import Dashboard, Limit, Panel, Query, Section

CHOSEN = '{job=~"$job", partition=~"$partition"}'

SHARD = Dashboard(
    name="shard",
    title="restock / shard",
    description="Is every shard held, does it move, and is it safe? Choose a partition to see it alone.",
    by_partition=True,
    sections=(
        Section(
            "Held",
            (
                Panel(
                    title="Is every shard held?",
                    description="Workers that hold the shard of each ledger partition: 1, and 0 for seconds while it "
                    "moves.",
                    unit="short",
                    queries=(Query(f"sum by (partition) (restock_shard_held{CHOSEN})", "shard {{partition}}"),),
                    runbooks=("RestockShardNotHeld",),
                    limits=(Limit(0, "RestockShardNotHeld", "critical", below=True),),
                ),
                Panel(
                    title="How many shards has each worker?",
                    description="A step is a shard that has moved. Workers beyond the number of partitions have none.",
                    unit="short",
                    queries=(Query('restock_shards_owned{job=~"$job"}', "{{instance}}"),),
                    runbooks=("RestockShardNotHeld", "RestockFenced"),
                ),
                Panel(
                    title="Are shards parked?",
                    description="Shards that wait for a person. Their items are neither counted nor ordered.",
                    unit="short",
                    queries=(Query('sum by (job) (restock_shards_parked{job=~"$job"})', "{{job}}"),),
                    runbooks=("RestockShardParked",),
                    limits=(Limit(0, "RestockShardParked", "critical"),),
                ),
            ),
        ),
        Section(
            "Moving",
            (
                Panel(
                    title="Which shard is behind?",
                    description="Ledger records that are not folded yet, measured from the end that Kafka named last.",
                    unit="short",
                    queries=(Query(f"max by (partition) (restock_ledger_lag_records{CHOSEN})", "shard {{partition}}"),),
                    runbooks=("RestockLagGrowing", "RestockPartitionStuck"),
                    limits=(Limit(10000, "RestockLagGrowing", "warning"),),
                ),
                Panel(
                    title="Does each shard move?",
                    description="Changes of its position within ten minutes. 0 with records waiting is a shard that is "
                    "stuck; 0 without is one that has nothing to do.",
                    unit="short",
                    queries=(
                        Query(
                            f"max by (partition) (changes(restock_ledger_position{CHOSEN}[10m]))", "shard {{partition}}"
                        ),
                    ),
                    runbooks=("RestockPartitionStuck",),
                    limits=(Limit(0, "RestockPartitionStuck", "critical", below=True),),
                ),
                Panel(
                    title="How fast does each ledger partition grow?",
                    description="Records that come each second, from the end that Kafka named last.",
                    unit="cps",
                    queries=(
                        Query(f"max by (partition) (deriv(restock_ledger_end{CHOSEN}[5m]))", "shard {{partition}}"),
                    ),
                    runbooks=("RestockLagGrowing",),
                ),
                Panel(
                    title="How fast is each shard folded?",
                    description="Records that its position advances each second. Less than the ledger grows is a shard "
                    "that falls behind.",
                    unit="cps",
                    queries=(
                        Query(
                            f"max by (partition) (deriv(restock_ledger_position{CHOSEN}[5m]))", "shard {{partition}}"
                        ),
                    ),
                    runbooks=("RestockLagGrowing", "RestockPartitionStuck"),
                ),
                Panel(
                    title="How far is each watermark behind the clock?",
                    description="Periods close when the watermark passes them. One that stands still waits for a "
                    "source feed.",
                    unit="s",
                    queries=(
                        Query(f"min by (partition) (restock_watermark_age_seconds{CHOSEN})", "shard {{partition}}"),
                    ),
                    runbooks=("RestockFeedSilent",),
                ),
            ),
        ),
        Section(
            "Safe",
            (
                Panel(
                    title="How old is the last checkpoint?",
                    description="Since a worker last wrote the shard's checkpoint. What came after it is replayed by "
                    "the next owner.",
                    unit="s",
                    queries=(
                        Query(
                            f"time() - max by (partition) (restock_checkpoint_timestamp_seconds{CHOSEN})",
                            "shard {{partition}}",
                        ),
                    ),
                    runbooks=("RestockStoreErrors", "RestockStoreUnreachable"),
                ),
                Panel(
                    title="When was anything last published?",
                    description="Since the shard's last transaction: outputs, or the seal with which a worker took it. "
                    "A quiet shop publishes nothing.",
                    unit="s",
                    queries=(
                        Query(
                            f"time() - max by (partition) (restock_published_timestamp_seconds{CHOSEN})",
                            "shard {{partition}}",
                        ),
                    ),
                    runbooks=("RestockPartitionStuck", "RestockBrokerErrors"),
                ),
                Panel(
                    title="How long does a checkpoint take?",
                    description="The median, and what one in a hundred exceeds.",
                    unit="s",
                    queries=(
                        Query(
                            "histogram_quantile(0.5, sum by (le) (rate(restock_stage_seconds_bucket"
                            '{job=~"$job", stage="checkpoint"}[$__rate_interval])))',
                            "median",
                        ),
                        Query(
                            "histogram_quantile(0.99, sum by (le) (rate(restock_stage_seconds_bucket"
                            '{job=~"$job", stage="checkpoint"}[$__rate_interval])))',
                            "99 of 100",
                        ),
                    ),
                    runbooks=("RestockStoreErrors",),
                ),
                Panel(
                    title="Were workers fenced?",
                    description="Times within a quarter of an hour that another owner of its shard shut a worker out: "
                    "it stood still too long, and nothing of it counts twice.",
                    unit="short",
                    queries=(Query('sum by (job) (increase(restock_fenced_total{job=~"$job"}[15m]))', "{{job}}"),),
                    runbooks=("RestockFenced",),
                    limits=(Limit(0, "RestockFenced", "info"),),
                ),
                Panel(
                    title="Had Redis forgotten anything?",
                    description="Within a quarter of an hour: shards that found Redis before the checkpoint it had "
                    "written, and checkpoints that were not whole. Replay repairs both.",
                    unit="short",
                    queries=(
                        Query('sum(increase(restock_rewinds_total{job=~"$job"}[15m]))', "rewinds"),
                        Query('sum(increase(restock_torn_checkpoints_total{job=~"$job"}[15m]))', "torn"),
                    ),
                    runbooks=("RestockRewound",),
                    limits=(Limit(0, "RestockRewound", "info"),),
                ),
                Panel(
                    title="How much was replayed?",
                    description="Ledger records that new owners replayed from the journal within a quarter of an hour.",
                    unit="short",
                    queries=(
                        Query('sum by (job) (increase(restock_replayed_records_total{job=~"$job"}[15m]))', "{{job}}"),
                    ),
                    runbooks=("RestockRewound",),
                    limits=(Limit(10000, "RestockRewound", "info"),),
                ),
            ),
        ),
    ),
)
