"""The dashboard of what is learned: how good forecasts are, and what policies save."""

from deploy.grafana.panel import Dashboard, Limit, Panel, Query, Section

YOUNG = "while no forecast of the class was judged within the day"

LEARNING = Dashboard(
    name="learning",
    title="restock / learning",
    description="Are forecasts good, do learned policies earn their place, and has anything drifted?",
    sections=(
        Section(
            "Forecasts",
            (
                Panel(
                    title="How far off are forecasts?",
                    description="The absolute error of the day's judged forecasts as a share of the demand (WAPE), by "
                    "class. Slow sellers are further off than others.",
                    unit="percentunit",
                    queries=(
                        Query(
                            '(sum by (class) (increase(restock_forecast_over_units_total{job=~"$job"}[1d])) + '
                            'sum by (class) (increase(restock_forecast_under_units_total{job=~"$job"}[1d]))) / '
                            '(sum by (class) (increase(restock_forecast_demand_units_total{job=~"$job"}[1d])) > 0)',
                            "class {{class}}",
                            YOUNG,
                        ),
                    ),
                    runbooks=("RestockForecastDrift",),
                ),
                Panel(
                    title="Are forecasts too high or too low?",
                    description="Units forecast too many less units too few, as a share of the demand. Above 0 is too "
                    "much stock, below it too little.",
                    unit="percentunit",
                    queries=(
                        Query(
                            '(sum by (class) (increase(restock_forecast_over_units_total{job=~"$job"}[1d])) - '
                            'sum by (class) (increase(restock_forecast_under_units_total{job=~"$job"}[1d]))) / '
                            '(sum by (class) (increase(restock_forecast_demand_units_total{job=~"$job"}[1d])) > 0)',
                            "class {{class}}",
                            YOUNG,
                        ),
                    ),
                    runbooks=("RestockForecastDrift", "Overstock"),
                ),
                Panel(
                    title="Does the 95 % quantile hold?",
                    description="The share of the day's judged forecasts whose 95 % quantile the demand did not "
                    "exceed. Below 90 % stock is planned too low.",
                    unit="percentunit",
                    queries=(
                        Query(
                            'sum by (class) (increase(restock_forecasts_covered_total{job=~"$job"}[1d])) / '
                            '(sum by (class) (increase(restock_forecasts_judged_total{job=~"$job"}[1d])) > 0)',
                            "class {{class}}",
                            YOUNG,
                        ),
                    ),
                    runbooks=("RestockForecastDrift",),
                    limits=(Limit(0.9, "RestockForecastDrift", "warning", below=True),),
                ),
                Panel(
                    title="How good are whole distributions?",
                    description="The pinball loss of the day's judged forecasts for each unit asked for: less is "
                    "better.",
                    unit="short",
                    queries=(
                        Query(
                            'sum by (class) (increase(restock_forecast_pinball_units_total{job=~"$job"}[1d])) / '
                            '(sum by (class) (increase(restock_forecast_demand_units_total{job=~"$job"}[1d])) > 0)',
                            "class {{class}}",
                            YOUNG,
                        ),
                    ),
                    runbooks=("RestockForecastDrift",),
                ),
                Panel(
                    title="Are there large misses?",
                    description="The root mean squared error of the day's judged forecasts, in units: a few large "
                    "misses raise it more than many small ones.",
                    unit="short",
                    queries=(
                        Query(
                            'sqrt(sum by (class) (increase(restock_forecast_squared_units_total{job=~"$job"}[1d])) / '
                            '(sum by (class) (increase(restock_forecasts_judged_total{job=~"$job"}[1d])) > 0))',
                            "class {{class}}",
                            YOUNG,
                        ),
                    ),
                    runbooks=("RestockForecastDrift",),
                ),
                Panel(
                    title="How many forecasts were judged?",
                    description="Forecasts of a day whose protection interval is over. With few of them the other "
                    "panels say little.",
                    unit="short",
                    queries=(
                        Query(
                            'sum by (class) (increase(restock_forecasts_judged_total{job=~"$job"}[1d]))',
                            "class {{class}}",
                        ),
                    ),
                    runbooks=("RestockForecastDrift", "RestockReplenishmentSilent"),
                ),
            ),
        ),
        Section(
            "Drift",
            (
                Panel(
                    title="For which share of items has demand shifted?",
                    description="Items with an open alert that their demand has changed its level, by class.",
                    unit="percentunit",
                    queries=(
                        Query(
                            'sum by (class) (restock_alerts_open{job=~"$job", kind="demand_shift"}) / '
                            '(sum by (class) (restock_items_tracked{job=~"$job"}) > 0)',
                            "class {{class}}",
                        ),
                    ),
                    runbooks=("RestockForecastDrift", "DemandShift"),
                    limits=(Limit(0.1, "RestockForecastDrift", "warning"),),
                ),
                Panel(
                    title="How often does demand shift?",
                    description="Alerts of a day that the demand of an item has changed its level.",
                    unit="short",
                    queries=(Query('sum(increase(restock_demand_shifts_total{job=~"$job"}[1d]))', "shifts"),),
                    runbooks=("DemandShift",),
                ),
                Panel(
                    title="Do forecasters or policies fail?",
                    description="Failures within a quarter of an hour, by name. Another decides meanwhile.",
                    unit="short",
                    queries=(
                        Query(
                            'sum by (name) (increase(restock_learner_failures_total{job=~"$job"}[15m])) > 0',
                            "{{name}}",
                            "while none fails",
                        ),
                    ),
                    runbooks=("RestockLearnerFailures",),
                    limits=(Limit(0, "RestockLearnerFailures", "warning"),),
                ),
            ),
        ),
        Section(
            "Policies",
            (
                Panel(
                    title="What would each contestant have cost?",
                    description="Money of a day, by contestant, on the same demand. Only the champion really spent it; "
                    "a contestant that takes part in few contests costs little.",
                    unit="short",
                    queries=(
                        Query(
                            'sum by (contestant) (increase(restock_policy_cost_total{job=~"$job"}[1d])) > 0',
                            "{{contestant}}",
                        ),
                    ),
                    runbooks=("RestockPolicyFallback",),
                ),
                Panel(
                    title="What do the champions save?",
                    description="What the champions cost less than the baseline would have within a day, as a share of "
                    "it, by class. Below 0 they cost more.",
                    unit="percentunit",
                    queries=(
                        Query(
                            "1 - sum by (class) "
                            '(increase(restock_policy_cost_total{job=~"$job", contestant="champion"}[1d])) / '
                            "(sum by (class) "
                            '(increase(restock_policy_cost_total{job=~"$job", contestant="baseline"}[1d])) > 0)',
                            "class {{class}}",
                        ),
                    ),
                    runbooks=("RestockPolicyFallback",),
                ),
                Panel(
                    title="Which share of champions has fallen back?",
                    description="Items whose champion cost too much, so that the baseline decides.",
                    unit="percentunit",
                    queries=(
                        Query(
                            'sum by (job) (restock_champions_fallen_back{job=~"$job"}) / '
                            '(sum by (job) (restock_items_tracked{job=~"$job"}) > 0)',
                            "{{job}}",
                        ),
                    ),
                    runbooks=("RestockPolicyFallback",),
                    limits=(Limit(0.05, "RestockPolicyFallback", "warning"),),
                ),
            ),
        ),
    ),
)
