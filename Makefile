# The verbs of this checkout. `make help` lists them; CONTRIBUTING.md says more.

SHELL := /bin/sh
.DEFAULT_GOAL := help
PY := .venv/bin/python
DEMO := build/demo

# The first Python on PATH that is new enough; it only makes .venv.
BASE_PYTHON ?= $(shell for p in python3 python3.11 python3.12 python3.13 /usr/bin/python3; do \
	if $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then echo $$p; break; fi; done)

.PHONY: help setup demo run test test-all check texts docs lock bench bench-sync bench-wipe simulate endure

help: ## list the verbs
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

setup: ## system packages (where there are rights), .venv, message catalogues
	@test -n "$(BASE_PYTHON)" || { echo "setup: Fieldkeep needs Python 3.11 or newer; install it first." >&2; exit 1; }
	@$(BASE_PYTHON) packaging/setup.py

demo: setup ## the whole road once: server, two laptops, sync, lock, wipe, recover
	@$(PY) packaging/keyring_session.py --home $(DEMO)/keyring -- $(PY) packaging/demo/run.py

run: setup ## the desktop on the demo's first laptop (after `make demo`)
	@test -d $(DEMO)/laptop-a || { echo "run: there is no demo profile yet; start with: make demo" >&2; exit 1; }
	@$(PY) packaging/keyring_session.py --home $(DEMO)/keyring -- .venv/bin/fieldkeep --profile $(DEMO)/laptop-a

test: setup ## lint, types, floors and every test that is not slow (under 10 minutes on 2 cores)
	@$(PY) -m tests.check

test-all: setup ## what `make test` leaves out: the slow tests, and a run against the installed wheel
	@$(PY) -m tests.check --slow

check: setup ## lint, types and house rules alone, in under a minute
	@$(PY) -m tests.check --quick

texts: setup ## take up new texts into the message catalogues
	@$(PY) packaging/texts.py update

docs: setup ## remake docs/requirements.md from its source
	@$(PY) packaging/requirements.py write

lock: setup ## remake the lock files (LOCK="--upgrade" takes newer versions)
	@$(PY) packaging/lock.py $(LOCK)

bench: setup ## measure store, search and window on a generated million (FIELDKEEP_BENCH_ONLY=find,save …)
	@$(PY) packaging/keyring_session.py --home build/bench/keyring -- $(PY) -m tests.benchmarks

simulate: setup ## play SEEDS=N runs of many devices and one server from FROM=M on, and judge each
	@$(PY) -m tests.simulator --seeds $(or $(SEEDS),200) --from $(or $(FROM),0) $(if $(OLDER),--older $(OLDER))

endure: setup ## two laptops and a server on a bad network for MINUTES=60 (SEED=N; LOSS=30 loses packets too, as root)
	@$(PY) packaging/keyring_session.py --home build/endure/keyring -- $(PY) -m tests.endurance \
		--minutes $(or $(MINUTES),60) --seed $(or $(SEED),1) --loss $(or $(LOSS),0)

bench-sync: setup ## measure syncing on 100,000 customers, beside Anki and the rows written at once
	@$(PY) packaging/keyring_session.py --home build/bench/keyring -- $(PY) -m tests.benchmarks.syncing

bench-wipe: setup ## measure wipes, held lines and locks by the system (FIELDKEEP_BENCH_WIPES=200, FIELDKEEP_BENCH_LINES=500)
	@$(PY) packaging/keyring_session.py --home build/bench/keyring -- $(PY) -m tests.benchmarks.wiping
