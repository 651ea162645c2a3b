PYTHON ?= python3
BIN := .venv/bin
OUTPUT_DIR ?= runs/toy-$(shell date +%Y%m%d-%H%M%S)

.PHONY: install train test test-slow quality style bench readme findings

install: .venv/installed

.venv/installed: requirements.txt setup.py pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --requirement requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@

# WAE-RNF on the generated corpus: a few minutes on two cores, no network.
train: install
	$(BIN)/wae-rnf train --config examples/toy.yaml --output_dir $(OUTPUT_DIR)

test: install
	$(BIN)/pytest -m "not slow"

test-slow: install
	$(BIN)/pytest

quality: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

style: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Speed and memory beside a plain implementation: some ten minutes on two cores.
bench: install
	$(BIN)/python -m benchmarks.run

# The tables of README.md, from results/.
readme: install
	$(BIN)/python -m results.tables

# docs/findings.md and its figures, from results/.
findings: install
	$(BIN)/python -m results.findings
