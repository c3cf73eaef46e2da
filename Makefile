# Everything runs in .venv at the root, made from the lock file at the first `make`.
RECOUNT := .venv/bin/recount
PYTHON := .venv/bin/python
STAMP := .venv/.made-from-lock
ARGS ?=
# Test processes at once, a file in one of them: half of the time of most tests is waiting for servers.
WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help setup up demo test soak lint fix bench golden docs lock doctor

help: ## list these recipes
	@grep -E '^[a-z]+:.*## ' Makefile | sed -E 's/^([a-z]+):[^#]*## /  make \1\t/' | expand -t 16

setup: $(STAMP) ## install Recount and its tools into .venv
$(STAMP): uv.lock requirements.lock pyproject.toml .ci/setup
	@.ci/setup && touch $@

up: setup ## start the platform here (ARGS="--data DIR --http HOST:PORT"); Ctrl-C stops it
	@$(RECOUNT) up $(ARGS)

demo: setup ## play a realistic incident through the running platform
	@$(RECOUNT) demo $(ARGS)

test: setup ## run every test (ARGS="tests/contract -k append")
	@$(PYTHON) -m pytest -n $(WORKERS) --dist loadfile -m "not soak" $(ARGS)

soak: setup ## the long form of the fuzz, kill and simulation runs: an hour or more
	@$(PYTHON) -m pytest -m soak $(ARGS)

lint: setup ## ruff, mypy strict, and the laws of the repository
	@.venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/mypy && $(PYTHON) -m pytest -q tests/test_tidy.py

fix: setup ## what ruff can mend by itself
	@.venv/bin/ruff check --fix . && .venv/bin/ruff format .

bench: setup ## measure beside peers and limits; see benchmarks/README.md
	@$(PYTHON) -m benchmarks.run $(ARGS)

golden: setup ## write the golden bytes of facts anew; then read the diff
	@$(PYTHON) -m tests.events.examples

docs: setup ## write docs/events.md and docs/projections.md anew
	@$(RECOUNT) schema --docs docs

lock: ## resolve the dependencies anew (needs uv)
	@uv lock && uv export --frozen --all-groups --no-emit-project -q -o requirements.lock

doctor: setup ## look for what is wrong with this installation
	@$(RECOUNT) doctor $(ARGS)
