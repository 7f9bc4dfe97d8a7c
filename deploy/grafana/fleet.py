"""The dashboard of the whole: which alerts fire, whether workers and servers are there, and what a process needs."""

from deploy.grafana.panel import Dashboard, Limit, Panel, Query, Section

NOTHING_FIRES = "while no alert fires"

FLEET = Dashboard(
    name="fleet",
    title="restock / fleet",
    description="Is the service up, and do Kafka and Redis answer it? Begin here.",
    sections=(
        Section(
            "What is wrong",
            (
                Panel(
                    title="How many alerts fire?",
                    description="Alerts of this service that fire, those that only inform and the watchdog left out.",
                    unit="short",
                    queries=(
                        Query(
                            'count(ALERTS{job=~"$job", alertname=~"Restock.+", alertstate="firing", '
                            'severity=~"critical|warning"}) or vector(0)',
                            "firing",
                        ),
                    ),
                    runbooks=("README",),
                    now=True,
                ),
                Panel(
                    title="Do the workers answer?",
                    description="1 for each worker whose metrics were read, 0 for one that is down. A worker that left "
                    "service discovery is not shown at all: compare with how many there should be.",
                    unit="bool_yes_no",
                    queries=(Query('up{job=~"$job"}', "{{instance}}"),),
                    runbooks=("RestockTargetDown", "RestockNoWorker"),
                    limits=(Limit(0, "RestockTargetDown", "critical", below=True),),
                    now=True,
                ),
                Panel(
                    title="Are promises broken?",
                    description="Violated invariants of docs/guarantees.md within a quarter of an hour. It is 0, "
                    "always.",
                    unit="short",
                    queries=(
                        Query('sum(increase(restock_invariant_violations_total{job=~"$job"}[15m]))', "violations"),
                    ),
                    runbooks=("RestockInvariantViolated",),
                    limits=(Limit(0, "RestockInvariantViolated", "critical"),),
                    now=True,
                ),
                Panel(
                    title="Which version runs?",
                    description="Workers by version. Two versions are a deployment that is under way, or that stopped "
                    "half-way.",
                    unit="short",
                    queries=(Query('count by (version) (restock_build_info{job=~"$job"})', "{{version}}"),),
                    runbooks=("RestockNoWorker",),
                    now=True,
                ),
                Panel(
                    title="Which alerts fire, and since when?",
                    description="A line for each alert while it fires. An outage fires its symptoms too; Alertmanager "
                    "silences those.",
                    unit="short",
                    queries=(
                        Query(
                            "sum by (alertname, severity) "
                            '(ALERTS{job=~"$job", alertname=~"Restock.+", alertstate="firing"})',
                            "{{alertname}} ({{severity}})",
                            NOTHING_FIRES,
                        ),
                    ),
                    runbooks=("README",),
                ),
                Panel(
                    title="Which invariants are violated?",
                    description="By the number that docs/guarantees.md gives them.",
                    unit="short",
                    queries=(
                        Query(
                            'sum by (invariant) (increase(restock_invariant_violations_total{job=~"$job"}[15m])) > 0',
                            "{{invariant}}",
                            "while every promise is kept",
                        ),
                    ),
                    runbooks=("RestockInvariantViolated",),
                    limits=(Limit(0, "RestockInvariantViolated", "critical"),),
                ),
            ),
        ),
        Section(
            "Kafka and Redis",
            (
                Panel(
                    title="Does Kafka answer each worker?",
                    description="1 where Kafka answered the worker's last question. All at 0: Kafka is gone. One at 0: "
                    "that worker is cut off.",
                    unit="bool_yes_no",
                    queries=(Query('min by (instance) (restock_broker_up{job=~"$job"})', "{{instance}}"),),
                    runbooks=("RestockBrokerUnreachable", "RestockWorkerCutOff"),
                    limits=(Limit(0, "RestockBrokerUnreachable", "critical", below=True),),
                ),
                Panel(
                    title="Does Redis answer each worker?",
                    description="1 where Redis answered the worker's last question. All at 0: Redis is gone. One at 0: "
                    "that worker is cut off.",
                    unit="bool_yes_no",
                    queries=(Query('min by (instance) (restock_store_up{job=~"$job"})', "{{instance}}"),),
                    runbooks=("RestockStoreUnreachable", "RestockWorkerCutOff"),
                    limits=(Limit(0, "RestockStoreUnreachable", "critical", below=True),),
                ),
                Panel(
                    title="How long ago did they last answer?",
                    description="The longest silence of each server towards any worker. Every lag is measured from the "
                    "ends that Kafka named then, so a lag is as old as this.",
                    unit="s",
                    queries=(
                        Query(
                            'time() - min(restock_broker_answered_timestamp_seconds{job=~"$job"} > 0)',
                            "Kafka",
                        ),
                        Query('time() - min(restock_store_answered_timestamp_seconds{job=~"$job"} > 0)', "Redis"),
                    ),
                    runbooks=("RestockBrokerUnreachable", "RestockStoreUnreachable"),
                ),
                Panel(
                    title="What does Kafka fail in?",
                    description="Failures of Kafka within two minutes, by kind, also while it answers: a topic that "
                    "may not be written, a disk that is full.",
                    unit="short",
                    queries=(
                        Query('sum by (kind) (increase(restock_broker_errors_total{job=~"$job"}[2m]))', "{{kind}}"),
                    ),
                    runbooks=("RestockBrokerErrors",),
                    limits=(Limit(5, "RestockBrokerErrors", "critical"),),
                ),
                Panel(
                    title="What does Redis fail in?",
                    description="Failures of Redis within two minutes, by kind, also while it answers: memory that is "
                    "full, a command that is refused.",
                    unit="short",
                    queries=(
                        Query('sum by (kind) (increase(restock_store_errors_total{job=~"$job"}[2m]))', "{{kind}}"),
                    ),
                    runbooks=("RestockStoreErrors",),
                    limits=(Limit(5, "RestockStoreErrors", "critical"),),
                ),
            ),
        ),
        Section(
            "Processes",
            (
                Panel(
                    title="How long has each worker run?",
                    description="A line that falls to 0 is a restart; many of them are a worker that dies again and "
                    "again.",
                    unit="s",
                    queries=(Query('time() - restock_process_start_time_seconds{job=~"$job"}', "{{instance}}"),),
                    runbooks=("RestockTargetDown",),
                ),
                Panel(
                    title="Is a processor the limit?",
                    description="Processor time of each worker; 100 % is one core, and one is all that a worker's own "
                    "code can use.",
                    unit="percentunit",
                    queries=(
                        Query('rate(restock_process_cpu_seconds_total{job=~"$job"}[$__rate_interval])', "{{instance}}"),
                    ),
                    runbooks=("RestockLagGrowing",),
                ),
                Panel(
                    title="Does memory grow?",
                    description="Resident memory of each worker. It grows with its items, and levels off.",
                    unit="bytes",
                    queries=(Query('restock_process_resident_memory_bytes{job=~"$job"}', "{{instance}}"),),
                    runbooks=("RestockTargetDown",),
                ),
                Panel(
                    title="Are there enough file descriptors?",
                    description="Open files and connections as a share of what the system allows the worker.",
                    unit="percentunit",
                    queries=(
                        Query(
                            'restock_process_open_fds{job=~"$job"} / restock_process_max_fds{job=~"$job"}',
                            "{{instance}}",
                        ),
                    ),
                    runbooks=("RestockBrokerErrors", "RestockStoreErrors"),
                ),
            ),
        ),
        Section(
            "Are people told?",
            (
                Panel(
                    title="Who does not take what is due?",
                    description="1 for each recipient of restock notify that has refused its last notification: what "
                    "is critical at once, a digest, or the state that an Alertmanager holds.",
                    unit="bool_yes_no",
                    queries=(
                        Query(
                            'max by (recipient, urgency) (restock_notify_waiting{job=~"$job"})',
                            "{{recipient}} {{urgency}}",
                        ),
                    ),
                    runbooks=("RestockNotTold",),
                    limits=(Limit(0, "RestockNotTold", "critical"),),
                ),
                Panel(
                    title="How many notifications are taken?",
                    description="Notifications that recipients took and refused within an hour, and how many alerts "
                    "and proposals are open.",
                    unit="short",
                    queries=(
                        Query('sum(increase(restock_notify_delivered_total{job=~"$job"}[1h]))', "taken"),
                        Query('sum(increase(restock_notify_failed_total{job=~"$job"}[1h]))', "refused"),
                        Query('max(restock_notify_matters_open{job=~"$job"})', "open"),
                    ),
                    runbooks=("RestockNotTold",),
                ),
                Panel(
                    title="How long ago was somebody told?",
                    description="Since each recipient last took a notification, and since restock notify last looked "
                    "whether somebody is to be told: that is seconds, always.",
                    unit="s",
                    queries=(
                        Query(
                            "time() - max by (recipient, urgency) "
                            '(restock_notify_told_timestamp_seconds{job=~"$job"} > 0)',
                            "{{recipient}} {{urgency}}",
                        ),
                        Query('time() - max(restock_notify_round_timestamp_seconds{job=~"$job"})', "looked"),
                    ),
                    runbooks=("RestockNotifierStopped", "RestockNotTold"),
                ),
            ),
        ),
    ),
)
