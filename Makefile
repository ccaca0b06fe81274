# Thin names over real commands. `make run` and `make test` work on a fresh machine with Python 3.11 or newer.

PYTHON ?= python3
BIN := .venv/bin
export PORT ?= 8000
export PYTHONDONTWRITEBYTECODE = 1

.DEFAULT_GOAL := help
.PHONY: help run test lint check bench pins clean

help:
	@echo "make run    serve the site on 127.0.0.1:$(PORT) with the mail worker, sample content and a demo account"
	@echo "make test   the whole suite: SQLite always, PostgreSQL, the browser and Node.js where they are installed"
	@echo "make lint   formatting, lint, types, import contracts, templates, migrations, deploy checks"
	@echo "make check  lint, then the whole suite with coverage as a gate"
	@echo "make bench  measure speed"
	@echo "make pins   resolve the dependencies of pyproject.toml anew"

.venv/stamp-run: requirements.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing what production runs …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

.venv/stamp-dev: requirements-dev.txt .venv/stamp-run
	@echo "Installing what development and tests add …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

run: .venv/stamp-run
	@$(BIN)/python manage.py migrate --verbosity 0
	@$(BIN)/python manage.py collectstatic --no-input --verbosity 0
	@$(BIN)/python manage.py starter_content
	@$(BIN)/python manage.py demo_account
	@exec $(BIN)/python manage.py serve

test: .venv/stamp-dev
	@$(BIN)/python -m tests.suite

lint: .venv/stamp-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/djlint templates --lint --quiet
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python -m tests.deploy_check

check: lint
	@$(BIN)/python -m tests.suite --coverage

bench: .venv/stamp-dev
	@$(BIN)/python -m tests.bench

pins: .venv/stamp-dev
	$(BIN)/uv pip compile --quiet pyproject.toml --generate-hashes --no-emit-index-url --python-version 3.11 --custom-compile-command "make pins" -o requirements.txt
	$(BIN)/uv pip compile --quiet pyproject.toml --extra dev -c requirements.txt --generate-hashes --no-emit-index-url --python-version 3.11 --custom-compile-command "make pins" -o requirements-dev.txt

clean:
	rm -rf .venv .data .static .cache tests/browser/node/node_modules
