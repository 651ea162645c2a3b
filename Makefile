PYTHON ?= python3
BIN := .venv/bin
# a process for each core, of one thread: models so small gain nothing from a second one
TEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadfile
# runs/toy, of which README.md speaks; where that is there already, one with the time in its name
OUTPUT_DIR ?= $(shell test -e runs/toy && date +runs/toy-%Y%m%d-%H%M%S || echo runs/toy)

.PHONY: install train test test-slow test-avx2 test-lowest test-newest quality types style bench bench-peers readme findings figures docs

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
	$(TEST) -m "not slow"

test-slow: install
	$(TEST)

# The same tests as on a CPU without AVX-512, where oneDNN has no bfloat16 LSTM and floating point rounds otherwise.
test-avx2: install
	ONEDNN_MAX_CPU_ISA=AVX2 ATEN_CPU_CAPABILITY=avx2 $(TEST) -m "not slow"

# The same tests with the lowest, and with the newest, releases that setup.py allows.
test-lowest test-newest: test-%: install
	rm -rf .venv-$*
	$(PYTHON) -m venv .venv-$*
	$(BIN)/python .ci/bounds.py $* > .venv-$*/requirements.txt
	.venv-$*/bin/pip install --quiet --disable-pip-version-check --requirement .venv-$*/requirements.txt
	.venv-$*/bin/pip install --quiet --disable-pip-version-check --no-deps --editable .
	$(subst .venv/,.venv-$*/,$(TEST)) -m "not slow"

quality: install types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	MYPYPATH=.types $(BIN)/mypy

# The packages under the names that they are imported by, as links, for programs that read sources without importing them.
types: .types/wae_rnf
.types/wae_rnf: Makefile
	mkdir -p $@
	for name in tokenization evaluation training text sharing reproduction commands; do ln -sfn ../../$$name $@/$$name; done
	for file in public/*; do ln -sfn ../../$$file $@/; done
	ln -sfn ../modeling_wae_rnf .types/modeling_wae_rnf
	touch $@

style: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Speed and memory beside a plain implementation: some ten minutes on two cores.
bench: install
	$(BIN)/python -m benchmarks.run

# The loops of other libraries beside ours, on the Penn Treebank in CORPUS: some twenty minutes; clones them into peers/.
CORPUS ?= data/ptb
bench-peers: install
	$(BIN)/python -m benchmarks.peers $(CORPUS)

# The tables of README.md and docs/, from results/ and the code.
readme: install
	$(BIN)/python -m wae_rnf.reproduction.document_tables

# The documentation as a site, in site/; a broken link or reference is an error.
docs: install types
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

# docs/findings.md and its figures, from results/.
findings: install
	$(BIN)/python -m wae_rnf.reproduction.findings

# The drawings of docs/geometry.md, from results/.
figures: install
	$(BIN)/python -m wae_rnf.reproduction.geometry_figures
