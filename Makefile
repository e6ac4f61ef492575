# Every command of the project; `make help` lists them. Each sets up what it needs.

SHELL := /bin/bash
VENV := .venv
PYTHON := $(VENV)/bin/python
READY := $(VENV)/.ready
WIDGET := saleor_nudges/static/saleor_nudges/widget.js
T ?= tests

.DEFAULT_GOAL := help
.PHONY: help demo test check test-saleor lint format bench chaos widget schema dist clean

help: ## List the commands.
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: $(READY) $(WIDGET) ## Start the sample shop and run until Ctrl-C (DEMO_PORT, default 8400).
	@exec $(PYTHON) -m demo

test: $(READY) ## Everything: lint, types, contracts, Python, widget, browser; Saleor when SALEOR_DIR is set.
	@$(PYTHON) -m devtools.suites

check: $(READY) ## Lint, types, contracts and the tests that need no server and no browser (T=path).
	@$(PYTHON) -m devtools.suites lint
	@$(PYTHON) -m pytest $(T) -q -m "not servers and not browser and not slow"

test-saleor: $(READY) $(WIDGET) ## Only the hosted suite, in the Saleor checkout SALEOR_DIR.
	@$(PYTHON) -m devtools.saleor

lint: $(READY) ## ruff, mypy, import contracts, schema drift.
	@$(PYTHON) -m devtools.suites lint

format: $(READY) ## Let ruff lay the code out.
	@$(PYTHON) -m ruff check --fix --exit-zero -q . && $(PYTHON) -m ruff format -q .

bench: $(READY) ## Measure each promise beside its yardstick (ONLY=id,… SCALE=0.1..1 FRESH=1); benchmarks/README.md.
	@exec $(PYTHON) -m benchmarks

chaos: $(READY) ## Kill, empty and stop what runs, and count what is lost (ONLY=id,… SCALE=); docs/faults.md.
	@exec $(PYTHON) -m chaos

widget: $(WIDGET) ## Build the storefront widget.

schema: $(READY) ## Print the GraphQL schema into saleor_nudges/graphql/schema.graphql.
	@DJANGO_SETTINGS_MODULE=tests.settings $(PYTHON) -m devtools.schema

dist: $(READY) $(WIDGET) ## Build the wheel and try it in a clean environment.
	@$(PYTHON) -m devtools.dist

clean: ## Remove what the commands made.
	rm -rf build dist $(VENV) storefront-widget/{node_modules,dist,build} storefront-widget/test/next/{node_modules,build} $(WIDGET) $(WIDGET:.js=)

$(READY): requirements/dev.txt pyproject.toml
	@python3 -c 'import sys; sys.exit(sys.version_info[:2] < (3, 12))' || \
	  { echo "saleor-nudges needs Python 3.12; 'python3' here is $$(python3 --version 2>&1)."; exit 1; }
	@echo "Setting up $(VENV) …"
	@[ -x $(PYTHON) ] || python3 -m venv $(VENV)
	@$(PYTHON) -m pip install -q --disable-pip-version-check -r requirements/dev.txt
	@$(PYTHON) -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

# It imports the parts beside it, in a folder of its own; the build makes all of them.
$(WIDGET): $(shell find storefront-widget/src storefront-widget/scripts -type f 2>/dev/null) storefront-widget/package-lock.json
	@command -v npm >/dev/null || { echo "The widget is built with Node 20 or newer; npm is not here."; exit 1; }
	@echo "Building the widget …"
	@cd storefront-widget && npm ci --silent --no-audit --no-fund && npm run --silent build
	@touch $@
