# Dougong. `make` alone prints the targets.

SHELL := /bin/bash
.DEFAULT_GOAL := help

PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

# A stamp is newer than its lock only when exactly that lock was installed.
RUN := $(VENV)/.installed-run
DEV := $(VENV)/.installed-dev

.PHONY: help
help: ## print the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-9s %s\n", $$1, $$2 }'

.PHONY: up
up: $(RUN) ## start everything: PostgreSQL, the four services, the demo world (Ctrl-C stops; ARGS="--port-base 9100")
	@exec $(BIN)/python -m infra.up $(ARGS)

.PHONY: test
test: $(DEV) ## run every test on real PostgreSQL (ARGS="tests/orders -x" runs some)
	@$(BIN)/python -m pytest $(or $(ARGS),-n auto -m "not journey")
	@test -n "$(ARGS)" || $(BIN)/python -m pytest -m journey

.PHONY: check
check: $(DEV) ## format, lint, strict types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

.PHONY: bench
bench: $(DEV) ## measure what we claim about speed and write benchmarks/RESULTS.md
	@$(BIN)/python -m benchmarks $(ARGS)

.PHONY: migrate
migrate: $(RUN) ## create databases and roles and bring every schema to its newest version
	@$(BIN)/dougong migrate $(ARGS)

.PHONY: lock
lock: $(DEV) ## choose newest allowed versions and write both lock files (no index address in them)
	$(BIN)/python -m infra.lock

.PHONY: clean
clean: ## remove the environment, the local database and every cache
	@test ! -x $(BIN)/dougong || $(BIN)/python -m infra.clean
	rm -rf $(VENV) .dougong .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/pyvenv.cfg:
	@test -n "$(PYTHON)" || { echo "Dougong needs Python 3.11 or newer; none is on the PATH." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { \
		echo "$(PYTHON) comes without venv; install it first (Debian: apt-get install python3-venv)." >&2; exit 1; }
	@echo "Making the virtual environment with $$($(PYTHON) --version) …"
	@$(PYTHON) -m venv $(VENV)

# setuptools is in the lock too: building our own package fetches nothing that is not pinned by hash.
$(RUN): requirements.lock pyproject.toml | $(VENV)/pyvenv.cfg
	@echo "Installing the locked dependencies …"
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(DEV): requirements-dev.lock pyproject.toml | $(VENV)/pyvenv.cfg
	@echo "Installing the locked dependencies, with those of development …"
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@
