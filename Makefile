# Two commands do everything: `make report` and `make test`. Both make the environment first, once.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.up-to-date
export UV_PROJECT_ENVIRONMENT := $(CURDIR)/$(VENV)
# two processes; each file of tests stays in one of them, so what a file makes once is made once
BY_TWO := -n 2 --dist loadfile --no-loadscope-reorder

.PHONY: help setup report test test-reference sample picture bench clean

help:  ## say what each target does
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

setup: $(STAMP)  ## make .venv from uv.lock (does nothing when it is up to date)

# uv reads the lock file and installs in seconds what takes pip minutes; it comes from pip, inside .venv.
$(STAMP): pyproject.toml uv.lock
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if v >= (3, 11) else f"sprx needs Python 3.11 or newer; {sys.executable} is {v.major}.{v.minor}. Try: make PYTHON=python3.12 setup")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "Python cannot make a virtual environment. On Debian or Ubuntu: apt-get install python3-venv"; exit 1; }
	@echo "Setting up .venv (the first time only; about a minute) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv 2>/dev/null || $(BIN)/python -m pip install uv
	@$(BIN)/uv sync --locked --quiet --inexact --python $(BIN)/python
	@touch $@

report: setup  ## run every report notebook on the four synthetic sample schemes
	@$(BIN)/sprx run data/sample/* --out reports

test: setup  ## run the tests
	@$(BIN)/python -m pytest $(BY_TWO)

test-reference: setup  ## run the tests that need ../shared (reference results and real data that stay there)
	@$(BIN)/python -m pytest $(BY_TWO) tests/reference

sample: setup  ## make data/sample again from its seed
	@$(BIN)/sprx simulate data/sample

picture: setup report  ## take the README's picture of a report (needs Chromium)
	@$(BIN)/python scripts/picture.py

bench: setup  ## measure; see benchmarks/README.md
	@$(BIN)/python benchmarks/bench.py

clean:  ## remove the environment and the reports
	rm -rf $(VENV) reports
