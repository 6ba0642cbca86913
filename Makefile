# Everything a person or a machine does with this tree. `make help` lists it.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help setup test check format demo demo-real proof bench clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(VENV)/ready-dev ## make .venv with everything for development; nothing to do when it is up to date

test: $(VENV)/ready-dev ## every test, also on real Tryton and BottleCRM; prints the slowest 20
	@$(BIN)/python -m lab install || echo 'make: without the real systems' >&2
	@$(BIN)/python -m pytest -n 3 --dist loadscope --no-loadscope-reorder -m 'not proof' -p tests.house.real_systems $(ARGS)

check: $(VENV)/ready-dev ## format, lint, types, layers
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(VENV)/ready-dev ## write the code as `check` wants it
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

demo: $(VENV)/ready-all ## a simulated CRM and ERP brought into agreement; ONCE=1 ends by itself; SEED, SIZE, PORT, CRM_PORT, ERP_PORT
	@$(BIN)/datong demo $(if $(ONCE),--once) $(if $(SEED),--seed $(SEED)) $(if $(SIZE),--size $(SIZE)) \
		$(if $(PORT),--port $(PORT)) $(if $(CRM_PORT),--crm-port $(CRM_PORT)) $(if $(ERP_PORT),--erp-port $(ERP_PORT))

demo-real: $(VENV)/ready-all ## the same with real BottleCRM and Tryton (one more Python, 3.12 or newer); ONCE=1 ends by itself
	@$(BIN)/python -m lab demo $(if $(ONCE),--once)

proof: $(VENV)/ready-dev ## the long proofs; write their result, date and commit into docs/proof.md
	@$(BIN)/python -m pytest -m proof -p tests.house.real_systems $(ARGS)
	@$(BIN)/python -m tests.mutation
	@$(BIN)/python -m tests.crashes --rounds 1000 --jobs 2
	@$(BIN)/python -m tests.crashes --pair real --rounds 24
	@$(BIN)/python -m tests.simulation --seeds 10000 --jobs 2
	@$(BIN)/python -m tests.simulation --weeks --jobs 2

bench: $(VENV)/ready-bench ## Datong beside the same job written by hand; `make bench ARGS=--help` tells what can be chosen
	@$(BIN)/python -m bench $(ARGS)

clean: ## remove what was made: environment, caches, the lab
	@rm -rf $(VENV) .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist *.egg-info
	@find datong tests lab -name __pycache__ -type d -prune -exec rm -rf {} +

# The environment. `ready-dev` and `ready-all` say which extra is installed, newer than what decides about it.

$(VENV)/ready-%: pyproject.toml constraints.txt | $(BIN)/python
	@echo 'make: installing datong[$*] into $(VENV)' >&2
	@$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[$*]' >&2
	@touch $@

# The first interpreter that is new enough and really runs: a shim on PATH may do neither. PYTHON=... decides otherwise.
$(BIN)/python:
	@usable='import sys, venv, ensurepip, ssl, sqlite3; sys.exit(sys.version_info < (3, 11))'; \
	for python in $(PYTHON) python3.11 python3.12 python3.13 python3 python3.14 python \
			"$${PYENV_ROOT:-$$HOME/.pyenv}"/versions/3.1[1-9]*/bin/python3; do \
		if "$$python" -c "$$usable" 2>/dev/null; then exec "$$python" -m venv $(VENV); fi; \
	done; \
	echo 'make: Datong needs Python 3.11 or newer with venv (Debian: apt install python3-venv); PYTHON=... names one' >&2; \
	exit 1
