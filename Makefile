# make demo | test | lint | bench | docs - each installs what it needs into .venv, once.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
NEEDS := pyproject.toml constraints.txt

.PHONY: demo test lint bench docs

demo: .venv/.installed
	$(BIN)/bio-interp data get unirep
	$(BIN)/bio-interp annotate examples/proteins.fasta --min-precision 0.5

test: .venv/.test
	$(BIN)/python -m pytest $(ARGS)

lint: .venv/.lint .venv/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python scripts/check_sizes.py
	$(BIN)/pyright
	$(BIN)/lint-imports

bench: .venv/.test
	@mkdir -p build/bench
	@for run in benchmarks/*/run.py; do \
	  name=$$(basename $$(dirname $$run)); echo "== $$name"; \
	  $(BIN)/python $$run --quick --json build/bench/$$name.json || exit 1; \
	done

docs: .venv/.installed
	$(BIN)/python scripts/check_docs.py

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/.pip: | .venv/bin/python
	$(PIP) install -c constraints.txt pip
	@touch $@

.venv/.installed: $(NEEDS) | .venv/.pip
	$(PIP) install -c constraints.txt -e .
	@touch $@

.venv/.test: .venv/.installed
	$(PIP) install -c constraints.txt --group test
	@touch $@

.venv/.lint: .venv/.installed
	$(PIP) install -c constraints.txt --group lint
	@touch $@
