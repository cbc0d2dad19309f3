# Two commands matter: `make run` and `make test`. Both make their environment by themselves
# and are quick the second time.

VENV    := .venv
PYTHON  ?= python3
BIN     := $(VENV)/bin
DATA    ?= var
# The tests start the command line some thousand times: compiled once, it starts sooner.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test lint check-quick bench bench-oai bench-round check-slow check-faults check-field-cases lock clean

run: $(VENV)/.run
	$(BIN)/chm-hub --data $(DATA) demo

test: $(VENV)/.dev lint
	$(BIN)/pytest -n 2 --dist worksteal

# What reads the answers of strangers, in a minute: for one more Python, as in
# `make check-quick PYTHON=python3.13 VENV=build/python3.13`.
check-quick: $(VENV)/.dev
	$(BIN)/pytest -n 2 tests/test_xml.py tests/test_doctype.py tests/test_feed.py tests/test_skos.py \
	  tests/test_functions.py tests/test_crosswalk_engine.py tests/test_crosswalk_examples.py \
	  tests/test_hostile.py tests/fetch

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.dev
	$(BIN)/python bench/run.py

bench-round: $(VENV)/.dev
	$(BIN)/python bench/round.py

bench-oai: $(VENV)/.dev build/pycsw/.made
	$(BIN)/python bench/oai.py

# A peer to measure against, which wants other versions than the hub.
build/pycsw/.made: bench/pycsw.lock
	@$(PYTHON) tools/make_environment.py build/pycsw
	@build/pycsw/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r bench/pycsw.lock
	@touch $@

check-slow: $(VENV)/.dev
	$(BIN)/pytest -m slow -o addopts="--strict-markers"

# Every fault of a fault server through the command line; FAULTS='--records 40 --page 7 --seed 3'.
check-faults: $(VENV)/.dev
	$(BIN)/python -m tests.faults.matrix $(FAULTS)

# Small inputs that broke harvesters, beside the values that are right; CASES='04 real/01 --all'.
check-field-cases: $(VENV)/.dev
	$(BIN)/python -m tests.field_cases.table $(CASES)

# The environment: made by pip from the lock files, hashes checked.
$(VENV)/bin/python:
	@echo "making the environment in $(VENV)"
	@$(PYTHON) tools/make_environment.py $(VENV)

$(VENV)/.run: requirements.lock pyproject.toml | $(VENV)/bin/python
	@echo "installing what the hub needs to run"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

$(VENV)/.dev: requirements-dev.lock pyproject.toml | $(VENV)/bin/python
	@echo "installing what the tests need"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@ $(VENV)/.run

# Pin every dependency again, with hashes.
lock: $(VENV)/.dev
	$(BIN)/uv pip compile -q --python-version 3.11 --universal --generate-hashes --no-header --upgrade \
	  --extra embedded pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile -q --python-version 3.11 --universal --generate-hashes --no-header --upgrade \
	  --extra worker -c requirements.lock pyproject.toml -o requirements-worker.lock
	$(BIN)/uv pip compile -q --python-version 3.11 --universal --generate-hashes --no-header --upgrade \
	  --extra embedded --extra worker --extra dev -c requirements.lock pyproject.toml -o requirements-dev.lock
	$(BIN)/uv pip compile -q --python-version 3.11 --universal --generate-hashes --no-header --upgrade \
	  bench/pycsw.in -o bench/pycsw.lock

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache report
