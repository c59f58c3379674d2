# Each target is also a plain command, for Windows and for those without make: see README.md.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO := sqlite:///demo.db
LOCKED := $(VENV)/.locked
LOCKED_DEV := $(VENV)/.locked-dev
# Hashes, but no addresses: where the packages come from is the reader's affair.
LOCK := --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header

.PHONY: run serve test test-long coverage mutants browser lint format bench docs lock release clean

# Sets everything up, makes a demo database once, and deals.
run: $(LOCKED)
	$(BIN)/agent-funnel --database-url $(DEMO) demo --if-empty
	$(BIN)/agent-funnel --database-url $(DEMO) run

# The service on the demo database.
serve: $(LOCKED)
	$(BIN)/agent-funnel --database-url $(DEMO) demo --if-empty
	$(BIN)/agent-funnel --database-url $(DEMO) serve

# Two at a time, each file by one of them: half of the time is spent waiting for clocks and for servers.
PARALLEL := -n 2 --dist loadfile

test: $(LOCKED_DEV) browser
	$(BIN)/python -m pytest $(PARALLEL)

test-long: $(LOCKED_DEV) browser
	FUNNEL_TEST_LONG=1 $(BIN)/python -m pytest $(PARALLEL) --timeout 3600
	FUNNEL_TEST_LONG=1 $(BIN)/python -m pytest --timeout 3600 -m stops_the_engine

# The tests, with the branches that they take in src; fails below the share that pyproject.toml names. It takes a T-SQL
# engine to get there: without one, what is for SQL Server alone is not run.
coverage: $(LOCKED_DEV) browser
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest $(PARALLEL)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

# Plants small mistakes into a copy of the program, one at a time; each must be found by the tests of its place.
# For some of them only: $(BIN)/python tests/mutants.py deal
mutants: $(LOCKED_DEV)
	$(BIN)/python tests/mutants.py

# Looks for a browser for the tests, and downloads one if there is none. Without one its tests are skipped, and say so.
browser: $(LOCKED_DEV)
	-$(BIN)/python tests/support/chromium.py

lint: $(LOCKED_DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/vulture
	$(BIN)/sqlfluff lint src/agent_funnel/sql/sqlserver

format: $(LOCKED_DEV)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(LOCKED_DEV)
	$(BIN)/python -m benchmarks.deal
	$(BIN)/python -m benchmarks.polling
	$(BIN)/python -m benchmarks.pages
	$(BIN)/python -m benchmarks.start

# The reference of the API, from the OpenAPI document, and of the settings, from their fields. A test compares both.
docs: $(LOCKED_DEV)
	$(BIN)/python tests/support/api_page.py > docs/reference/api.md
	$(BIN)/python tests/support/settings_page.py > docs/reference/settings.md

# New versions of what we depend on, for every Python and system that we support.
lock: $(LOCKED_DEV)
	$(BIN)/uv pip compile $(LOCK) --extra build -o requirements.lock pyproject.toml
	$(BIN)/uv pip compile $(LOCK) --extra build --extra dev -o requirements-dev.lock pyproject.toml

# The wheel and the sdist, in dist/.
release: $(LOCKED_DEV)
	$(BIN)/python -m build --no-isolation

clean:
	rm -rf $(VENV) .coverage* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist demo.db*

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(LOCKED): requirements.lock pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	touch $@

$(LOCKED_DEV): requirements-dev.lock $(LOCKED)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.lock
	touch $@
