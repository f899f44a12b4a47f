# Two commands: `make book` ends with the HTML book, `make test` proves it.

PYTHON ?= python3
BIN := .venv/bin

# One thread per process: chapters and tests run side by side instead.
export OMP_NUM_THREADS = 1

.PHONY: book test notebooks seeds portability lint clean

book: .venv/installed
	$(BIN)/domain-translation book

# Each chapter runs once, from the built wheel; the tests compare what it printed.
test: lint
	$(BIN)/domain-translation notebooks --check
	$(BIN)/domain-translation book --wheel
	$(BIN)/pytest -n auto --dist worksteal

notebooks: .venv/installed
	$(BIN)/domain-translation notebooks

# Ten seeds of each chapter that measures, for the cards that its claims rest on.
seeds: .venv/installed
	$(BIN)/domain-translation seeds

# All chapters under three instruction sets, for the ledger.
portability: .venv/installed
	$(BIN)/domain-translation portability

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m domain_translation.press.cells

clean:
	rm -rf .venv _build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --constraint constraints.txt --editable '.[book,test]'
	touch $@
