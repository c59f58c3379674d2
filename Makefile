# README.md gives the same steps as plain commands, for Windows and for machines without make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO := sqlite:///demo.db
LOCKED := $(VENV)/.locked
LOCKED_DEV := $(VENV)/.locked-dev
# The lock files have hashes, but no addresses of package indexes, so that each user can choose an index.
LOCK := --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header

.PHONY: run serve test test-long coverage mutants browser clients lint format bench docs translations lock release clean

# Set everything up, make a demo database if there is none, and deal.
run: $(LOCKED)
	$(BIN)/agent-funnel --database-url $(DEMO) demo --if-empty
	$(BIN)/agent-funnel --database-url $(DEMO) run --again

# Run the service on the demo database.
serve: $(LOCKED)
	$(BIN)/agent-funnel --database-url $(DEMO) demo --if-empty
	$(BIN)/agent-funnel --database-url $(DEMO) serve

# Three test processes, in a random order whose seed is printed; `--randomly-seed` repeats it. A process
# that has nothing left to do takes tests from the other one.
PARALLEL := -n 3 --dist worksteal

# Tests start many processes, and each test process loads all tests: Python keeps compiled files, even if it has been
# told not to.
test test-long coverage: export PYTHONDONTWRITEBYTECODE =
test: $(LOCKED_DEV) browser
	$(BIN)/python -m compileall -q src
	$(BIN)/python -m pytest $(PARALLEL)

test-long: $(LOCKED_DEV) browser
	FUNNEL_TEST_LONG=1 $(BIN)/python -m pytest $(PARALLEL) --timeout 3600
	FUNNEL_TEST_LONG=1 $(BIN)/python -m pytest --timeout 3600 -m stops_the_engine

# Run the tests and measure the branches that they take in src. It fails below the percentage in pyproject.toml. That
# needs a T-SQL engine: without one, the code for SQL Server is not run.
coverage: $(LOCKED_DEV) browser
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest $(PARALLEL)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

# Plant small mistakes into a copy of the program, one at a time: the tests of each place must find them. For some of
# them only: .venv/bin/python tests/mutants.py deal
mutants: $(LOCKED_DEV)
	$(BIN)/python tests/mutants.py

# Look for a browser for the tests, and download one if there is none. Without a browser, pytest reports its tests as
# skipped.
browser: $(LOCKED_DEV)
	-$(BIN)/python tests/support/chromium.py

# Install two clients of SQL Server that are not ours, for the tests: Microsoft's ODBC driver, and tedious for Node.js.
# Without them, pytest reports their tests as skipped.
CLIENTS := $(VENV)/clients
clients: $(LOCKED_DEV)
	$(BIN)/python -m venv $(CLIENTS)/odbc
	$(CLIENTS)/odbc/bin/python -m pip install --quiet --require-hashes -r tests/clients/odbc.lock
	cp tests/clients/package.json tests/clients/package-lock.json $(CLIENTS)
	npm ci --prefix $(CLIENTS) --ignore-scripts --no-audit --no-fund

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
	$(BIN)/python -m benchmarks.fresh_voice
	$(BIN)/python -m benchmarks.polling
	$(BIN)/python -m benchmarks.pages
	$(BIN)/python -m benchmarks.results
	$(BIN)/python -m benchmarks.start
	$(BIN)/python -m benchmarks.imports

# Write the reference of the API from the OpenAPI document, and that of the settings from their fields. A test compares
# both.
docs: $(LOCKED_DEV)
	cd tests && ../$(BIN)/python -m support.api_page > ../docs/reference/api.md
	cd tests && ../$(BIN)/python -m support.settings_page > ../docs/reference/settings.md

# Bring new texts into the catalogues of all languages, and compile them. A test says which texts are not translated.
TRANSLATIONS := src/agent_funnel/translations
translations: $(LOCKED_DEV)
	cd tests && PYTHONPATH=../src ../$(BIN)/python -m support.catalogues

# Update the lock files to the newest versions, for every Python and system that we support.
lock: $(LOCKED_DEV)
	$(BIN)/uv pip compile $(LOCK) --extra build -o requirements.lock pyproject.toml
	$(BIN)/uv pip compile $(LOCK) --extra build --extra dev -o requirements-dev.lock pyproject.toml
	$(BIN)/uv pip compile $(LOCK) -o tests/clients/odbc.lock tests/clients/odbc.in
	cd tests/clients && npm update --package-lock-only --omit-lockfile-registry-resolved --ignore-scripts --no-audit --no-fund

# Build the wheel and the sdist in dist/, with the scripts for a DBA and the checksums of all of them.
release: $(LOCKED_DEV)
	rm -rf dist
	$(BIN)/python -m build --no-isolation
	$(BIN)/agent-funnel install --script --schema dbo --directory dist
	cd dist && sha256sum *.whl *.tar.gz *.sql > SHA256SUMS

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
