# The two commands of the README are `make demo` and `make test`; every other target is for people who change the code.
# All run in the project's own environment `.venv`, which is made when it is missing or older than the lock file.

PYTHON ?= python3
export UV_PROJECT_ENVIRONMENT := .venv
# Without stored bytecode every command and worker that a test starts compiles all it imports: three times the work.
unexport VIRTUAL_ENV PYTHONPATH PYTHONHOME PYTHONDONTWRITEBYTECODE

BIN := .venv/bin
READY := .venv/.ready
PYTEST := $(BIN)/python -m pytest -q
# Each process has servers of its own, and takes tests from the others when it has none left. Tests of real servers wait
# more than they compute: two cores are busy with four processes.
SIDE_BY_SIDE := -n $(or $(PROCESSES),4) --dist worksteal

.PHONY: env kernel demo test test-fast chaos soak drill dashboards bench lint format docs docs-check rules clean
.DEFAULT_GOAL := env

env: $(READY)

$(READY): pyproject.toml uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { echo "restock needs Python >= 3.11, and PYTHON=$(PYTHON) is not: make env PYTHON=python3.12" >&2; exit 2; }
	@echo "making the environment .venv"
	@[ -x $(BIN)/python ] || uv venv --quiet --python $(PYTHON) .venv 2>/dev/null || $(PYTHON) -m venv .venv
	@# uv is taken from the machine when it is there and from the package index when it is not.
	@command -v uv >/dev/null || [ -x $(BIN)/uv ] || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@# What a developer added by hand stays (--inexact); everything locked is as locked.
	@"$$(command -v uv || echo $(BIN)/uv)" sync --quiet --frozen --all-extras --inexact --python $(BIN)/python
	@touch $@

# Compiled once for each state of the sources, and not by each of the processes that a test or the demo starts.
kernel: env
	@$(BIN)/python -m agents.kernel >/dev/null

demo: kernel
	@$(BIN)/restock demo $(DEMO)

# The whole suite on real Kafka and Valkey. A skipped or deselected test would be a promise not kept: it fails the run.
# TEST="tests/stream -k shard" runs a part, in one process; COVERAGE=1 prints how much of the product was executed, in
# the tests' own processes and in those they start.
test: kernel
	@$(PYTEST) $(or $(TEST),--nothing-skipped $(SIDE_BY_SIDE)) $(if $(COVERAGE),--cov --cov-report=)
	@[ -z "$(COVERAGE)" ] || echo "coverage: $$($(BIN)/coverage report --format=total) % of the lines of agents, schemas and stream"

# The pure rooms: no servers.
test-fast: kernel
	@$(PYTEST) $(SIDE_BY_SIDE) schemas agents/inventory agents/forecasting agents/policies agents/simulation \
		$(wildcard tests/schemas tests/agents/inventory tests/agents/forecasting tests/agents/policies tests/agents/simulation) $(TEST)

chaos: kernel
	@$(PYTEST) -s tests/chaos --override-ini timeout=1800 $(TEST)

soak: kernel
	@SOAK_HOURS=$(or $(HOURS),1) $(PYTEST) -s tests/chaos -k soak --override-ini timeout=0 $(TEST)

# Faults under a real Prometheus and Alertmanager, both from PATH: which alert comes, when, and what it silences.
drill: kernel
	@$(BIN)/python -m tests.drill.drill $(DRILL)

# The same, asked every question of the dashboards: fails where there is no answer, and draws the others for docs/operations.
dashboards: kernel
	@$(BIN)/python -m tests.drill.dashboards $(DASHBOARDS)

bench: kernel
	@for script in $(wildcard $(addprefix bench/,engine.py rebuild.py forecasts.py policy_suite.py q_learning_baseline.py inventorybench.py closed_loop.py)); do \
		echo "== $$script"; $(BIN)/python $$script --short || exit 1; done

lint: env
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo --no-cache

format: env
	@$(BIN)/ruff check --quiet --fix .
	@$(BIN)/ruff format --quiet .

# The contract as people and programs read it, from the types in schemas/; the page of metrics, from their declarations;
# the alert rules for the Prometheus operator; and Grafana's dashboards, from their description.
docs: env
	@$(BIN)/restock schema --write docs/contract
	@$(BIN)/python -m agents.worker.metrics_page docs/metrics.md
	@$(BIN)/python deploy/kubernetes/prometheusrule.py
	@$(BIN)/python -m deploy.grafana.dashboards

docs-check: docs
	@[ -z "$$(git status --porcelain -- docs/contract docs/metrics.md docs/operations deploy/kubernetes deploy/grafana/dashboards)" ] || { echo "docs/contract is not what schemas/ says, docs/metrics.md not what the declarations of metrics say, deploy/kubernetes not what the alert rules say, or dashboards and their page not what deploy/grafana describes: make docs, then commit" >&2; exit 1; }

# Prometheus' own opinion of its configuration, its rules and their unit tests.
rules:
	@promtool check config deploy/prometheus/prometheus.yml
	@if ls deploy/prometheus/rules/*.yml >/dev/null 2>&1; then promtool check rules deploy/prometheus/rules/*.yml; fi
	@if ls deploy/prometheus/tests/*.yml >/dev/null 2>&1; then promtool test rules deploy/prometheus/tests/*.yml; fi
	@amtool check-config deploy/alertmanager/alertmanager.yml

clean:
	@rm -rf .venv .restock build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage*
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
