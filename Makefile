# Each target does its own set-up: all it needs is Python >= 3.11 and make.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
# Tests mostly wait for servers and processes: one worker more than there are cores.
WORKERS ?= $(shell $(PYTHON) -c "import os; print(min(os.cpu_count() + 1, 6))")
# Of the unit tests, about half of their time. Each half in a process of its own: workers would each collect them all.
UNIT_HALF = $(addprefix tests/unit/,cluster contract controller crd hooks manifests matrix planner server)

# Of a backfill, in test-all.
KILLS ?= 1000

# With an operator that dies at random while it calls hooks, in test-all.
HOOK_RUNS ?= 100

# What Kubernetes itself decides: the definition and its rules, admission, the chart, Jobs and pods, the Lease, commands.
ON_EACH_KUBERNETES = $(addprefix tests/cluster/,test_bench_control_plane.py test_crd_apply.py test_crd_manifests.py \
	test_crd_rules.py test_admission_approve.py test_chart.py test_operator_whole_way.py test_operator_leads.py \
	test_operator_process.py test_looking.py) tests/e2e/test_kubectl_example.py

.DEFAULT_GOAL := help
.PHONY: help demo test unit unit-half unit-rest test-all test-versions e2e check bench bench-steering bench-histories bench-backfill prove-backfill clean

help:  ## what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 17

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Headway needs Python 3.11 or newer; name one with: make PYTHON=python3.12 …")'
	@echo "installing into $(VENV): a minute or two, once …"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

demo: $(STAMP)  ## three databases to head, live, on an embedded PostgreSQL
	@$(BIN)/headway demo

# Compiled files are written and a tenth of the random states is tried, unless it is asked for otherwise.
unit: export HYPOTHESIS_PROFILE ?= quick
unit: export PYTHONDONTWRITEBYTECODE =
unit: $(STAMP)  ## pure logic, in seconds; `make test` tries twenty times as many random states, and whole runs
	@$(MAKE) --no-print-directory -j 2 --output-sync=target unit-half unit-rest

unit-half:
	@$(BIN)/python -m pytest -p no:xdist $(UNIT_HALF)

unit-rest:
	@$(BIN)/python -m pytest -p no:xdist tests/unit $(addprefix --ignore=,$(UNIT_HALF))

test: $(STAMP)  ## everything that needs only pip and Go: a real API server, a real PostgreSQL
	@PYTHONPATH=tests $(BIN)/python -m support.assets
	@PYTHONPATH=tests $(BIN)/python -m support.tools
	@PYTHONPATH=tests $(BIN)/python -m support.matrix.obtain chosen
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup

test-versions: $(STAMP)  ## what Kubernetes decides, on the oldest and the newest that the bench can be
	@PYTHONPATH=tests $(BIN)/python -m support.tools
	@set -e; for one in oldest newest; do \
		HEADWAY_KUBERNETES=$$one PYTHONPATH=tests $(BIN)/python -m support.assets; \
		HEADWAY_KUBERNETES=$$one $(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup $(ON_EACH_KUBERNETES); \
	done

test-all: test  ## also PgBouncer, MariaDB, MySQL, every pair of Python, Alembic, SQLAlchemy, driver and server; but no node: e2e
	@PYTHONPATH=tests $(BIN)/python -m support.system_packages
	@PYTHONPATH=tests $(BIN)/python -m support.matrix.obtain all
	@$(BIN)/python -m pytest tests/agreement/test_matrix.py --matrix=rest
	@PYTHONPATH=operator:tests $(BIN)/python -m support.kills.prove --kills $(KILLS)
	@HEADWAY_HOOK_RUNS=$(HOOK_RUNS) $(BIN)/python -m pytest tests/cluster/test_operator_hooks.py
	@echo "the tests on a real node are apart, they need root and a container runtime: make e2e"

e2e: $(STAMP)  ## the chart and the example on a real node (Linux, root); docs/e2e.md
	@PYTHONPATH=operator:tests $(BIN)/python -m support.node.run $(ARGS)

check: $(STAMP)  ## style, types, layers
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: $(STAMP)  ## ratios side by side: runner against alembic, the lint, operator against its budgets
	@PYTHONPATH=tests $(BIN)/python -m support.assets
	@$(BIN)/python benchmarks/runner.py
	@$(BIN)/python benchmarks/lint.py
	@$(BIN)/python benchmarks/operator_figures.py

bench-steering: $(STAMP)  ## seconds from a command to its effect in the database
	@$(BIN)/python benchmarks/steering_figures.py $(ARGS)

bench-histories: $(STAMP)  ## public applications' migrations, from empty to head (installs each: minutes, once)
	@$(BIN)/python benchmarks/histories.py

bench-backfill: $(STAMP)  ## backfills side by side, idle and under load; ARGS="--full" or others of benchmarks/backfill.py
	@$(BIN)/python benchmarks/backfill.py $(ARGS)

prove-backfill: $(STAMP)  ## a thousand backfills killed at any moment while others write (ten minutes)
	@PYTHONPATH=operator:tests $(BIN)/python -m support.kills.prove $(ARGS)

clean:  ## removes what the targets made here (the cache of built binaries stays)
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist
