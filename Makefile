# The same targets people and CI run. Everything lives in .venv.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: setup demo test check clean

setup: .venv/.ready

.venv/.ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "mitame needs Python >= 3.11; this is " + sys.version.split()[0] + ". Set PYTHON=python3.11 or newer.")'
	@echo "Setting up .venv (about 2 GB; a few minutes the first time) ..."
	@$(PYTHON) -m venv .venv
	@$(PIP) -e .
	@$(BIN)/python -m mitame.solve.compiled
	@touch $@

.venv/.dev: .venv/.ready
	@$(PIP) -e '.[dev]'
	@touch $@

demo: .venv/.ready
	@$(BIN)/mitame demo --force

test: .venv/.dev
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile

check: .venv/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

clean:
	rm -rf .venv mitame-demo
