# Each target sets up what it needs in a virtual environment inside the checkout.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
OUT ?= out
# compiled kernels of the tests stay in the checkout
export CARTRIAL_CACHE ?= $(CURDIR)/.cache
# and so do the rewritten assertions of the tests, half of what collecting them costs, whatever the environment says of bytecode
unexport PYTHONDONTWRITEBYTECODE

.PHONY: report example test test-all coverage lint bench fuzz docs wheel matrix clean

# 39 virtual adults of the pivotal study, from its study file to its report.
report: $(VENV)/.virtual
	$(BIN)/cartrial report inaticel --virtual --out $(OUT)/inaticel
	@echo "Open $(OUT)/inaticel/report.html"

# The invented subjects of the truth table: needs the base install alone.
example: $(VENV)/.base
	$(BIN)/cartrial report examples/worked --data examples/worked/data --out $(OUT)/worked
	@echo "Open $(OUT)/worked/report.html"

# What a user needs to know: the rules, the estimates, the designs, the pages. Minutes.
test: $(VENV)/.test
	$(BIN)/python tests/warm.py
	$(BIN)/python -m pytest -n auto --dist loadfile -m "not slow"

# Everything, with all examples of every property; how each test ended is kept for the table of requirements.
test-all: $(VENV)/.test
	$(BIN)/python tests/warm.py
	CARTRIAL_TEST_PROFILE=all CARTRIAL_TEST_RESULTS=$(CURDIR)/.cache/results.json $(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder --durations=20

# Which lines the tests reach: what `make test` runs, traced.
coverage: $(VENV)/.test
	$(BIN)/python -m pytest -n auto --dist loadfile -m "not slow" --cov=cartrial --cov-report=term:skip-covered

lint: $(VENV)/.lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache
	$(BIN)/mypy

bench: $(VENV)/.test
	$(BIN)/python benchmarks/run.py

# 5,000 spoilt study files, mappings, tables and workbooks: no traceback, nothing half written. Half an hour.
fuzz: $(VENV)/.test
	$(BIN)/python benchmarks/fuzz.py

docs: $(VENV)/.docs
	$(BIN)/mkdocs build --strict --site-dir site

# The wheel, built from the source archive and installed alone in an environment of its own, makes a report outside the checkout.
wheel: $(VENV)/bin/python
	$(PIP) build
	rm -rf dist
	$(BIN)/python -m build --outdir dist .
	tests/wheel.sh "$(BIN)/python" dist/*.whl constraints.txt

# Wheel and source archive in empty environments: each extra alone, and all together, on every Python named. An hour or more.
PYTHONS ?= python3.11 python3.12 python3.13
matrix: $(VENV)/bin/python
	$(PIP) build
	rm -rf dist
	$(BIN)/python -m build --outdir dist .
	$(BIN)/python tests/matrix.py dist --python $(PYTHONS)

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit("cartrial needs Python 3.11 or newer; name one with make PYTHON=python3.12") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.base: $(VENV)/bin/python pyproject.toml constraints.txt
	$(PIP) -e .
	@touch $@

$(VENV)/.virtual: $(VENV)/bin/python pyproject.toml constraints.txt
	$(PIP) -e ".[virtual]"
	@touch $@

$(VENV)/.test: $(VENV)/bin/python pyproject.toml constraints.txt
	$(PIP) -e ".[all,bayes,test]"
	$(PIP) --no-deps scikit-survival
	@touch $@

$(VENV)/.lint: $(VENV)/bin/python pyproject.toml constraints.txt
	$(PIP) -e ".[all,lint]"
	@touch $@

$(VENV)/.docs: $(VENV)/bin/python pyproject.toml constraints.txt
	$(PIP) -e ".[docs]"
	@touch $@

clean:
	rm -rf $(VENV) .cache out site dist
