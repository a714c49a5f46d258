# Every task of the project. `make` alone lists them.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help
.PHONY: help env lock

UV := .tools/uv/bin/uv
PYTHON := .venv/bin/python

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --- environments: one stamp per environment, remade when its lock changes ---

env: .tools/.dev .tools/.sam .tools/.ministack ## the three environments: the project's, sam's, the local cloud's

.tools/.uv: requirements/uv.txt
	@command -v python3 >/dev/null || { echo "winnow: python3 is missing: install Python 3.13 (python.org, pyenv or your package manager)" >&2; exit 1; }
	python3 -m venv .tools/uv || { echo "winnow: python3 can't make a virtual environment: install its venv module (Debian: python3-venv)" >&2; exit 1; }
	.tools/uv/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r $<
	touch $@

.tools/.dev: requirements/dev.txt .tools/.uv
	$(UV) venv -q --clear --python 3.13 .venv
	$(UV) pip sync -q --python .venv --require-hashes $<
	touch $@

.tools/.sam: requirements/sam.txt .tools/.uv
	$(UV) venv -q --clear --python 3.13 .tools/sam
	$(UV) pip sync -q --python .tools/sam --require-hashes $<
	touch $@

.tools/.ministack: requirements/ministack.txt .tools/.uv
	$(UV) venv -q --clear --python 3.13 .tools/ministack
	$(UV) pip sync -q --python .tools/ministack --require-hashes $<
	touch $@

COMPILE := $(UV) pip compile -q --universal --python-version 3.13 --generate-hashes --no-emit-index-url --no-header
lock: .tools/.uv ## remake the hash-pinned requirements; UPGRADE=1 takes newer releases
	cd requirements
	for name in dev sam ministack uv; do ../$(COMPILE) $(if $(UPGRADE),--upgrade) $$name.in -o $$name.txt; done
	for name in spacy-layer winnow-layer; do ../$(COMPILE) -c dev.txt $$name.in -o $$name.txt; done
