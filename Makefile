# Two commands do everything on a machine with Python 3.11 and make: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEV := $(VENV)/.installed
SOURCES := contracts audit chassis services simulator cli deploy docs/examples tests

.DEFAULT_GOAL := help
.PHONY: help setup demo test check format schemas bench chaos up clean lock

help: ## What there is to do
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(DEV) ## Install everything: the pinned packages, Apache Kafka and PostgreSQL
	@$(BIN)/python -m deploy.embedded fetch

$(DEV): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Rollcall needs Python 3.11 or later: make setup PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(DEV)

demo: setup ## Run a real batch of the sample list to its end, and watch it
	@$(BIN)/rollcall demo

up: setup ## Run all of Rollcall until Ctrl-C
	@$(BIN)/rollcall up

test: setup ## All tests, on real Kafka and PostgreSQL
	$(BIN)/python -m pytest -n 2 --dist loadscope --no-loadscope-reorder -m "not chaos and not bench" $(ARGS)

check: $(DEV) ## Imports, contracts, format, lint, types
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m deploy.export --check
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/mypy $(SOURCES)

format: $(DEV) ## Put the code in order
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/ruff check --fix $(SOURCES)

schemas: $(DEV) ## Write the JSON Schemas and the AsyncAPI document of the events
	$(BIN)/python -m deploy.export

bench: setup ## The figures, each beside its reference
	$(BIN)/python -m tests.bench $(ARGS)
	$(BIN)/python -m pytest -q -s -m bench

chaos: setup ## Long fault runs, the mutants that must be caught, new random examples
	$(BIN)/python -m pytest -m chaos --timeout 1800 $(ARGS)
	$(BIN)/python -m pytest tests/faults -k "found_out or convicted" -m "not chaos"
	$(BIN)/python -m pytest tests/unit --hypothesis-profile searching
	$(BIN)/python -m pytest tests/integration/test_ingest_fuzz.py tests/integration/test_ingest_lists_model.py \
		--hypothesis-profile searching --timeout 1800

lock: $(DEV) ## Renew the pinned requirements
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/lock.txt
	for set in runtime dev; do $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url requirements/$$set.in -o requirements/$$set.txt; done

clean: ## Remove what was built and the demo's data, not the downloaded servers
	rm -rf $(VENV) .rollcall build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
