# make help
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
RUN    ?= loss=poisson data=spikes
# a process for each core, up to eight: each has to load torch; one that is idle takes tests of the others
SIDE_BY_SIDE = -n auto --maxprocesses 8 --dist worksteal

.PHONY: help train test test-slow lint format bench docs gpu wheels board clean
.DEFAULT_GOAL := help

help:  ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## */\t/' | expand -t 14

$(BIN)/.train: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(0 if (3, 10) <= sys.version_info < (3, 14) else "dlthink needs Python 3.10 to 3.13, this is " + sys.version.split()[0] + ": make PYTHON=python3.12 ...")'
	test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	@echo "installing into $(VENV): torch is large, this takes minutes the first time"
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	touch $@

$(BIN)/.test: $(BIN)/.train
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev,all]'
	touch $@

train: $(BIN)/.train  ## install and run the first experiment (RUN="loss=mse data=spikes" for another)
	$(BIN)/dlthink train $(RUN)
	@echo "now type: source $(BIN)/activate   then dlthink and tensorboard are commands"

test: $(BIN)/.test  ## install and run the fast tests, side by side: about three minutes on two cores
	$(BIN)/python -m pytest $(SIDE_BY_SIDE)

test-slow: $(BIN)/.test  ## the rest, which takes minutes a test
	$(BIN)/python -m pytest -m slow $(SIDE_BY_SIDE)

lint: $(BIN)/.test  ## ruff, check only
	$(BIN)/ruff check . && $(BIN)/ruff format --check .

format: $(BIN)/.test  ## ruff, rewriting
	$(BIN)/ruff check --fix . && $(BIN)/ruff format .

bench: $(BIN)/.test  ## speed against hand-written loops and peers, as ratios
	$(BIN)/python scripts/bench.py

docs: $(BIN)/.train  ## the documents as a site, site/index.html; every link checked
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[docs]'
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict  # --quiet would not count warnings
	@echo "site/index.html"

gpu:  ## the tests that need a GPU, and each scenario in each precision, in 8 minutes; installs nothing of its own
	$(or $(wildcard $(BIN)/python),$(PYTHON)) scripts/gpu.py

wheels: $(BIN)/.test  ## what a GPU machine with torch and no network may lack, into wheels/
	$(BIN)/python scripts/wheels.py

board: $(BIN)/.train  ## TensorBoard over outputs/
	$(BIN)/tensorboard --logdir outputs

clean:  ## caches and builds; never outputs/
	rm -rf build dist site .pytest_cache .ruff_cache *.egg-info
	find . -name __pycache__ -not -path './$(VENV)/*' -exec rm -rf {} +
