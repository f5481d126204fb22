# One line per command; `make` alone lists them.
PYTHON3 ?= python3
VENV := .venv
PYTHON := $(VENV)/bin/python
UV := $(VENV)/bin/uv
UV_PINNED := uv==0.13.9
SYNC := $(UV) pip sync --quiet --require-hashes --python $(PYTHON)
RUN_STAMP := $(VENV)/.runtime
DEV_STAMP := $(VENV)/.development

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev up down status demo test lint bench bench-growth bench-rules bench-online faults hostile mutate docs

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(RUN_STAMP) ## Install what runs the platform into .venv
setup-dev: $(DEV_STAMP) ## Install what tests and checks it as well

up: setup ## Start everything and watch it; DETACH=1 returns when all is ready
	@$(PYTHON) -m deploy.local up $(if $(DETACH),--detach)

down: setup ## Stop everything that up has started
	@$(PYTHON) -m deploy.local down

status: setup ## Show what runs, where, and how much memory it holds
	@$(PYTHON) -m deploy.local status

demo: setup ## The main job, from nothing to texts sent, in one go
	@$(PYTHON) -m deploy.demo

test: setup-dev ## Run the tests on two cores, with real servers
	@$(PYTHON) -m pytest

lint: setup-dev ## Check style, spelling, types and the borders between the parts
	@$(VENV)/bin/ruff check
	@$(VENV)/bin/ruff format --check
	@$(VENV)/bin/lint-imports
	@$(VENV)/bin/basedpyright
	@$(VENV)/bin/codespell

bench: setup ## A year of Beijing through the whole platform, or YEAR=0.04 of one, and its floor
	@$(PYTHON) -m deploy.bench.year

bench-growth: setup ## The same for 0.04, 0.2, 1 and 2 years on one roster, and their picture
	@$(PYTHON) -m deploy.bench.year.growth

bench-rules: setup ## Measure the rules alone, and a backtest of a million claims
	@$(PYTHON) -m deploy.bench.rules

bench-online: setup ## Measure how long people wait for their text, alone and beside a large feed; RATES=25,50,100,200 SECONDS=60
	@$(PYTHON) -m deploy.bench.online

faults: setup-dev ## Kill, wipe and replay, and compare the books to the fen; FAULT_SEEDS=5 rounds
	@FAULT_SEEDS=$${FAULT_SEEDS:-5} $(PYTHON) -m pytest tests/faults -n 0

hostile: setup-dev ## 1,000 seeded runs against a bank that drops, delays, repeats, garbles and forgets; SEEDS=0:1000
	@$(PYTHON) -m tests.payments.hostile --seeds $${SEEDS:-0:1000} --jobs 2

mutate: setup-dev ## Change the engine line by line, and list what no test noticed
	@nice $(PYTHON) -m deploy.mutation

docs: setup ## Write the generated pages of docs/ anew
	@$(PYTHON) -m deploy.docs

# A development environment serves every command, so a fresh one stands in for the smaller one.
$(RUN_STAMP): requirements.lock | $(UV)
	@test $(DEV_STAMP) -nt requirements.lock -a $(DEV_STAMP) -nt requirements-dev.lock || \
	  { rm -f $(DEV_STAMP); $(SYNC) requirements.lock; }
	@touch $@

$(DEV_STAMP): requirements-dev.lock | $(UV)
	@$(SYNC) requirements-dev.lock
	@touch $@ $(RUN_STAMP)

$(PYTHON):
	@$(PYTHON3) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or later is needed")'
	@"$$($(PYTHON3) deploy/interpreter.py)" -m venv --without-pip $(VENV)

# Where python3 brings no pip, Debian's package does.
$(UV): | $(PYTHON)
	@$(PYTHON3) -m pip --python $(PYTHON) install --quiet '$(UV_PINNED)' || { \
	  { apt-get -q update && apt-get -q install -y python3-venv; } >/dev/null && \
	  $(PYTHON3) -m venv --clear $(VENV) && $(PYTHON) -m pip install --quiet '$(UV_PINNED)'; }
