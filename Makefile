# Everything that is done with Usher by hand or by a machine. `make help` lists it.
.DEFAULT_GOAL := help
PYTHON ?= python3
RUN := .venv/bin/python -m
# A stamp is written when a lock has been installed; a change of the lock makes it stale.
DEMO := .venv/.installed-demo
DEV := .venv/.installed-dev
PROJECT := pyproject.toml tools/install.sh
# What the random tests of test-thorough begin with: another one each time, unless it is given.
SEED := $(if $(SEED),$(SEED),$(shell awk 'BEGIN { srand(); print int(rand() * 1000000000) }'))

.PHONY: help demo demo-once test coverage test-thorough test-fast chaos bench lint lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: $(DEMO) ## Start a local Slack, local providers, a JupyterHub and the bot, and keep them running
	$(RUN) playground demo

demo-once: $(DEMO) ## Play the whole way once, from the link to the opened IDE, and end
	$(RUN) playground demo-once

test: $(DEV) ## Run all tests; some ten minutes
	$(RUN) pytest -n 4 --dist worksteal

coverage: $(DEV) ## Run all tests with the branch coverage that is demanded; takes half as long again
	$(RUN) pytest -n 3 --dist worksteal --cov --cov-report=term

test-thorough: $(DEV) ## Every call, every row of the matrices, long random histories; takes long; SEED=N repeats one
	@echo "Random tests with SEED=$(SEED)"
	$(RUN) pytest -n 2 --dist worksteal -m hypothesis --hypothesis-profile=thorough --hypothesis-seed=$(SEED)
	$(RUN) pytest -n 2 --dist worksteal -m "not hypothesis" tests/faults tests/reconciler tests/scenarios --every-call

test-fast: $(DEV) ## Run the tests that take no long time and no browser
	$(RUN) pytest -n 2 --dist worksteal -m "not slow and not browser"

chaos: $(DEV) ## Three minutes of kills and of all that goes wrong, then a look at every promise; CHAOS="--only MODE"
	$(RUN) benchmarks.chaos $(CHAOS)

bench: $(DEV) ## Measure what it costs, one JSON object per figure; BENCH="NAME …" measures some
	@$(RUN) benchmarks $(BENCH)

lint: $(DEV) ## Check style, types, import layers, names and known vulnerabilities
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	.venv/bin/lint-imports
	.venv/bin/python tools/words.py
	$(RUN) pip check
	.venv/bin/python tools/audit.py

lock: $(DEV) ## Write the locks from pyproject.toml; UPGRADE=1 looks for newer versions
	.venv/bin/python tools/lock.py $(if $(UPGRADE),--upgrade)

clean: ## Remove what was made, the environment too
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build *.egg-info .coverage .coverage.* htmlcov
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(DEMO): requirements/demo.txt $(PROJECT)
	PYTHON="$(PYTHON)" sh tools/install.sh demo
	@touch $@

# It holds all that the demonstration needs, too.
$(DEV): requirements/dev.txt $(PROJECT)
	PYTHON="$(PYTHON)" sh tools/install.sh dev
	@touch $@ $(DEMO)
