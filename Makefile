# make demo | test | quick | serving | lint | docs | samples | models: each sets up .venv first, once, with any Python 3.11 to 3.13 (or PYTHON=/path/to/python).

VENV := .venv
VENV_PYTHON := $(VENV)/bin/python
CANDIDATES := python3.12 python3.13 python3.11 python3 python
RIGHT_VERSION := import sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))

# Two processes take one file of tests after the other, in the order that tests/conftest.py sets.
PYTEST := $(VENV_PYTHON) -m pytest -n 2 --dist loadfile --no-loadscope-reorder

# The public names as somebody else's program uses them.
TYPED_USE := mypy --strict --config-file= --follow-imports=silent --cache-dir .mypy_cache/typed_use tests/typed_use/program.py

.DEFAULT_GOAL := help
.PHONY: help demo test quick serving lint docs samples models

help:
	@echo "make demo   real sample photos: embed, train, recognize; ends with out/demo/summary.png"
	@echo "make test   all tests, about a quarter of an hour on two cores (ARGS=\"-k images\" for some)"
	@echo "make quick   the tests without real photos, servers, TensorFlow, clusters and browser, within a minute"
	@echo "make serving   the same in .venv-serving, where only what names faces is installed"
	@echo "make lint   ruff and mypy"
	@echo "make docs   the documentation as a site: out/docs/index.html"
	@echo "make samples   sample photos and a second checkpoint, which one of the tests reads if it is there"
	@echo "make models   a smaller network that tells people better apart; licence claimed, not proved"

demo: $(VENV)/.requirements-serving
	$(VENV_PYTHON) -m experiments.demo $(ARGS)

test: $(VENV)/.requirements-dev
	$(PYTEST) $(ARGS)

quick: $(VENV)/.requirements-dev
	$(PYTEST) -m "not realdata and not servers and not tensorflow and not cluster and not browser" $(ARGS)

serving:
	@$(MAKE) --no-print-directory VENV=.venv-serving .venv-serving/.requirements-tests
	.venv-serving/bin/python -m pytest -n 2 --dist loadfile -m "not realdata and not servers and not cluster and not browser" $(ARGS)

samples: $(VENV)/.requirements-serving
	$(VENV_PYTHON) -m data.samples --weights

models: $(VENV)/.requirements-serving
	$(VENV_PYTHON) -m data.models $(ARGS)

lint: $(VENV)/.requirements-dev
	$(VENV_PYTHON) -m ruff check .
	$(VENV_PYTHON) -m ruff format --check .
	$(VENV_PYTHON) -m mypy
	$(VENV_PYTHON) -m $(TYPED_USE)

docs: $(VENV)/.requirements-dev
	$(VENV_PYTHON) -m sphinx -q -W --keep-going -b html -d out/docs-state docs out/docs
	@echo "out/docs/index.html"

# A stamp is written only after its step has succeeded, so an interrupted set-up goes on the next time.
$(VENV)/.python:
	@for candidate in $(if $(PYTHON),"$(PYTHON)",$(CANDIDATES)); do \
	    if "$$candidate" -c "$(RIGHT_VERSION)" 2>/dev/null; then chosen="$$candidate"; break; fi; \
	done; \
	if [ -z "$$chosen" ]; then \
	    echo "make: expected Python 3.11, 3.12 or 3.13 (tried $(if $(PYTHON),$(PYTHON),$(CANDIDATES))), found none;" \
	        "install one or name it with PYTHON=/path/to/python" >&2; exit 2; \
	fi; \
	echo "setting up $(VENV) with $$chosen (once)"; \
	"$$chosen" -m venv --clear $(VENV) || { echo "make: $$chosen could not make a virtual environment; on Debian and" \
	    "Ubuntu: apt-get install python3-venv" >&2; exit 2; }
	@touch $@

# The command `facetable` of this checkout, without installing it: tests of clusters need workers that do not have it.
$(VENV)/bin/facetable: $(VENV)/.python Makefile
	@printf '%s\n' '#!/bin/sh' 'here=$$(dirname "$$0")' 'exec "$$here/python" "$$here/../../facetable.py" "$$@"' > $@
	@chmod +x $@

$(VENV)/.requirements-serving: requirements-serving.txt $(VENV)/.python $(VENV)/bin/facetable
	@echo "installing requirements-serving.txt (once; about 0.8 GB on disk)"
	@$(VENV_PYTHON) -m pip install --quiet --disable-pip-version-check -r requirements-serving.txt
	@touch $@

$(VENV)/.requirements-tests: requirements-dev.txt $(VENV)/.requirements-serving
	@$(VENV_PYTHON) -m pip install --quiet --disable-pip-version-check $$(grep -E '^(pytest|hypothesis|httpx|schemathesis|axe)' requirements-dev.txt)
	@touch $@

$(VENV)/.requirements: requirements.txt $(VENV)/.python $(VENV)/bin/facetable
	@echo "installing requirements.txt (once; about 3 GB on disk)"
	@$(VENV_PYTHON) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.requirements-dev: requirements-dev.txt $(VENV)/.requirements
	@echo "installing requirements-dev.txt (once)"
	@$(VENV_PYTHON) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@
