# One command per job; `make help` lists them. Works with GNU Make 3.81 and newer.
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=
# SLIM=1 leaves sentence-transformers and torch out; with all targets that set up.
SLIM ?=
SETUP := $(PYTHON) -m scripts.setup $(if $(filter-out 0,$(SLIM)),--slim)

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev run test check format bench lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

setup: ## makes .venv, nlu/.venv and the dialogue model; does only what is not done yet; SLIM=1: without torch
	@$(SETUP)

setup-dev: ## the same, with what tests and checks need
	@$(SETUP) --dev

run: setup ## sets up where needed, then starts everything on this machine
	@exec $(BIN)/klaartje run $(ARGS)

test: setup-dev ## the whole suite; one part: make test ARGS="tests/unit -k lock"
ifneq ($(strip $(ARGS)),)
	@exec $(BIN)/python -m pytest $(ARGS)
else
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not alone"
	$(BIN)/python -m pytest -m alone
endif

check: setup-dev ## format, lint, types, import rules, container and metadata files
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/yamllint --strict .
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
	$(BIN)/hadolint Dockerfile nlu/Dockerfile
	bash -n .ci/run

format: setup-dev ## formats and repairs what can be repaired
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: setup-dev ## measures turns, webhook, starts and search; one part: make bench ARGS=peers
	@exec $(BIN)/python -m bench $(ARGS)

# Exact versions with hashes for every platform and Python that we support. Newer ones: make lock ARGS=--upgrade
# requirements-torch.lock is kept by hand; it says why.
COMPILE := $(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header $(ARGS)

lock: setup-dev ## writes the lock files anew from both pyproject.toml files
	$(COMPILE) --python-version 3.11 pyproject.toml -o requirements.lock
	$(COMPILE) --python-version 3.11 pyproject.toml --group dev -c requirements.lock -o requirements-dev.lock
	$(COMPILE) --python-version 3.11 pyproject.toml --extra encoders -c requirements-dev.lock \
		--no-emit-package torch -o requirements-encoders.lock
	$(COMPILE) --python-version 3.11 --group build -o requirements-build.lock
	$(COMPILE) --python-version 3.10 nlu/pyproject.toml -o nlu/requirements.lock

clean: ## removes what setup and the tools made; your data in ./var stays
	rm -rf .venv nlu/.venv nlu/models nlu/.rasa .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
