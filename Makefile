# Everything a developer runs. `make VENV=DIR …` uses another environment.
VENV ?= .venv
PYTHON ?= python3
BIN = $(VENV)/bin
STAMP = $(VENV)/.installed
DEMO ?= .venv-demo
QUIETLY = --quiet --disable-pip-version-check
UV_LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock'
KILLS ?= 50
SEEDS ?= 1000
FIRST ?= 0
EXAMPLES ?= 2000
SEED ?= $(shell date +%s)
# One more than there are cores: a test that waits leaves its core to another.
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
PYTEST = $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal
# Tests start hundreds of processes: none is to compile again what the first one has.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: fuzz simulate help setup protos check compiled test tested demo bench chaos serve docs lock screenshots clean

help:  ## List what there is
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 13

# An environment is made anew from what the project says it needs, never by hand: by uv in a tenth of
# the time of pip, which may reach an index where uv does not.
$(STAMP): pyproject.toml protos/build.py $(wildcard protos/podium/*/v1/*.proto)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install $(QUIETLY) 'uv>=0.9,<1'
	$(BIN)/uv pip install --quiet --python $(BIN)/python --reinstall-package podium \
		--editable '.[dev]' || $(BIN)/python -m pip install $(QUIETLY) --editable '.[dev]'
	touch $@

setup: $(STAMP)  ## Make the environment

protos: setup  ## Generate the code for the .proto files
	$(BIN)/python protos/build.py

check: setup  ## Lint, types, protos, the floors
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	cd protos && $(abspath $(BIN))/buf lint
	$(BIN)/lint-imports

# Collecting the tests rewrites their asserts, too, which each worker would do anew; what is wrong
# with them the run tells.
compiled: setup
	$(BIN)/python -m compileall -q services tui podium_worker protos
	-$(BIN)/python -m pytest --collect-only -qq >/dev/null

test: setup  ## Check, then run every test
	$(MAKE) --no-print-directory --jobs 2 check compiled
	$(PYTEST)

# As part of --jobs beside check, which goes on while tests wait; what check finds is told last.
tested: compiled
	$(PYTEST)

# The demo runs what is released: pinned by version and hash, in an environment of its own.
$(DEMO)/.installed: locks/build.txt locks/run.txt pyproject.toml
	test -x $(DEMO)/bin/python || $(PYTHON) -m venv $(DEMO)
	$(DEMO)/bin/python -m pip install $(QUIETLY) --require-hashes -r locks/build.txt
	$(DEMO)/bin/python -m pip install $(QUIETLY) --require-hashes -r locks/run.txt
	touch $@

demo: $(DEMO)/.installed  ## Show the main job on a real job server
	$(DEMO)/bin/python -m pip install $(QUIETLY) --no-deps --no-build-isolation --force-reinstall .
	$(DEMO)/bin/podium demo

serve: setup  ## podium up
	$(BIN)/podium up

bench: setup  ## Measure; prints figures with the machine's
	$(BIN)/python -m bench

chaos: setup  ## Kill processes at random under load: make chaos KILLS=50 SEED=n
	$(BIN)/python -m tests.system.chaos --kills $(KILLS) --seed $(SEED)

simulate: setup  ## Lives with faults, of many seeds: make simulate SEEDS=10000
	$(BIN)/python -m tests.simulation --seeds $(SEEDS) --first $(FIRST)

fuzz: setup  ## What chance may send, for longer: make fuzz EXAMPLES=2000
	PODIUM_FUZZ_EXAMPLES=$(EXAMPLES) $(BIN)/python -m pytest tests/fuzz --timeout 0 -n $(WORKERS) --dist loadfile

docs: setup  ## Write the generated pages of docs/
	$(BIN)/python -m services.registry.definitions.document
	$(BIN)/python -m services.settings
	$(BIN)/python -m tui.bindings
	$(BIN)/python -m tui.cli.document

lock: setup  ## Pin what image and demo install, by version and hash (locks/); UPGRADE=-U for newest
	$(UV_LOCK) $(UPGRADE) --output-file locks/run.txt pyproject.toml
	$(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")' \
		| $(UV_LOCK) $(UPGRADE) --constraints locks/run.txt --output-file locks/build.txt -

screenshots: setup  ## Take the pictures of docs/pictures
	TERM=xterm-256color COLORTERM=truecolor $(BIN)/python -m tests.tui.pictures

clean:  ## Remove the environment and what was generated
	rm -rf $(VENV) $(DEMO) .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find protos -name '*_pb2*.py*' -delete
