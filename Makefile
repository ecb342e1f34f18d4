# The verbs of this checkout. `make help` lists them.

SHELL := /bin/sh
.DEFAULT_GOAL := help
PY := .venv/bin/python

# The first Python on PATH that is new enough; only used to make .venv.
BASE_PYTHON ?= $(shell for p in python3 python3.11 python3.12 python3.13 /usr/bin/python3; do \
	if $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then echo $$p; break; fi; done)

.PHONY: setup
setup: ## set up: system packages (where there are rights), .venv, message catalogues
	@test -n "$(BASE_PYTHON)" || { echo "setup: Fieldkeep needs Python 3.11 or newer; install it first." >&2; exit 1; }
	@$(BASE_PYTHON) packaging/setup.py
