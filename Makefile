# Each target sets up what it needs in a virtual environment inside the checkout.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
OUT ?= out

.PHONY: report example test lint bench docs clean

# 39 virtual adults of the pivotal study, from its study file to its report.
report: $(VENV)/.virtual
	$(BIN)/cartrial report inaticel --virtual --out $(OUT)/inaticel
	@echo "Open $(OUT)/inaticel/report.html"

# The invented subjects of the truth table: needs the base install alone.
example: $(VENV)/.base
	$(BIN)/cartrial report examples/worked --data examples/worked/data --out $(OUT)/worked
	@echo "Open $(OUT)/worked/report.html"

test: $(VENV)/.test
	$(BIN)/python -m pytest --cov=cartrial --cov-report=term:skip-covered

lint: $(VENV)/.lint
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: $(VENV)/.test
	$(BIN)/python benchmarks/run.py

docs: $(VENV)/.docs
	$(BIN)/mkdocs build --strict --site-dir site

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
	$(PIP) -e ".[all,test]"
	$(PIP) --no-deps scikit-survival
	@touch $@

$(VENV)/.lint: $(VENV)/bin/python pyproject.toml constraints.txt
	$(PIP) -e ".[all,lint]"
	@touch $@

$(VENV)/.docs: $(VENV)/bin/python pyproject.toml constraints.txt
	$(PIP) -e ".[docs]"
	@touch $@

clean:
	rm -rf $(VENV) out site
