# make demo | test | notebooks | lint | bench | docs - each installs what it needs into .venv, once.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
NEEDS := pyproject.toml constraints.txt

NOTEBOOKS := BIO_INTERP_ATLAS=reference BIO_INTERP_OFFLINE=1 OMP_NUM_THREADS=1

.PHONY: demo test notebooks lint bench docs

demo: .venv/.installed
	$(BIN)/bio-interp data get unirep
	$(BIN)/bio-interp annotate examples/proteins.fasta --min-precision 0.5

test: .venv/.test
	$(BIN)/python -m pytest $(ARGS)

notebooks: .venv/.test
	$(NOTEBOOKS) $(BIN)/python -m pytest --nbmake --nbmake-timeout=300 examples/notebooks

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

docs: .venv/.docs
	$(BIN)/python scripts/check_docs.py
	$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going docs build/docs
	@echo "open build/docs/index.html"

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

.venv/.docs: .venv/.installed
	$(PIP) install -c constraints.txt --group docs
	@touch $@
