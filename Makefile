# `make` alone lists what there is. ARGS="..." hands options on; PYTHON=/path/to/python chooses the interpreter.
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo demo-gateway up test fmt docs lock clean
ARGS ?=

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

demo: ## watch commands travel to simulated cars and back; ends by itself
	@sh scripts/venv.sh run
	@.venv/bin/outrider demo $(ARGS)

demo-gateway: ## watch three products behind their own gateways; one dies, one changes; ends by itself
	@sh scripts/venv.sh run
	@.venv/bin/outrider gateway demo $(ARGS)

up: ## start the platform, until Ctrl-C
	@sh scripts/venv.sh run
	@exec .venv/bin/outrider up $(ARGS)

test: ## lint, types, import rules, tests (ARGS go to pytest)
	@sh scripts/venv.sh dev
	@sh scripts/check.sh $(ARGS)

fmt: ## mend what ruff can mend
	@sh scripts/venv.sh dev
	@.venv/bin/ruff check --fix --quiet . ; .venv/bin/ruff format .

docs: ## write the reference pages in docs/ and our product's openapi.yaml anew from the program
	@sh scripts/venv.sh run
	@.venv/bin/python -m outrider.cli.reference docs

lock: ## write requirements/*.txt from pyproject.toml (needs uv; ARGS=--upgrade for newer versions)
	@sh scripts/lock.sh $(ARGS)

clean: ## remove the environment and the caches; data folders (.outrider) stay
	@rm -rf .venv dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	@find bench scripts src tests -name __pycache__ -type d -prune -exec rm -rf {} +
