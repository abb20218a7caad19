# Everything a developer does here. Needs only Python 3.11+ (with venv and pip) and make.

PYTHON ?= python3
ARGS ?=
LOCK_ARGS ?= --upgrade
ROUNDS ?= 10
SEED ?= $(shell date +%s)

# What only some tests need: veraPDF runs on Java with JAXB, Poppler reads PDFs in its own way, and
# SoftHSM holds keys as hardware does.
SYSTEM_PACKAGES := default-jdk-headless libjaxb-java poppler-utils softhsm2 unzip systemd

ENV := .venv
DEMO_ENV := .venv-demo
TOOLS_ENV := .tools
BIN := $(ENV)/bin
UV := $(or $(shell command -v uv),$(TOOLS_ENV)/bin/uv)

export UV_PYTHON_DOWNLOADS := never

# What is compiled is kept, wherever else it is not: tests start the library hundreds of times.
export PYTHONDONTWRITEBYTECODE :=

# An account without a home of its own, as containers use, caches inside the checkout.
ifneq ($(shell test -w "$$HOME" && echo yes),yes)
export UV_CACHE_DIR ?= $(CURDIR)/$(TOOLS_ENV)/cache
export PIP_CACHE_DIR ?= $(UV_CACHE_DIR)/pip
endif

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo demo-openedx system-packages test test-unit chaos coverage lint format bench docs lock clean

help: ## List what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo '  ARGS="..." is passed on: make test ARGS="-k revoked"'

setup: $(ENV)/.installed ## Prepare the development environment in .venv

demo: $(DEMO_ENV)/.installed ## Prepare a small environment and run the demonstration
	@$(DEMO_ENV)/bin/python examples/demo.py $(ARGS)

demo-openedx: $(DEMO_ENV)/.installed ## Do the same against a server that speaks as Open edX does
	@$(DEMO_ENV)/bin/python examples/demo_open_edx.py $(ARGS)

system-packages: ## Install what some tests need of the system (Debian and Ubuntu)
	@dpkg -s $(SYSTEM_PACKAGES) > /dev/null 2>&1 && exit; \
	command -v apt-get > /dev/null || \
		{ echo "Install a Java development kit, JAXB in /usr/share/java, Poppler's tools, SoftHSM, unzip and systemd" >&2; exit 1; }; \
	as_root=; test "$$(id -u)" -eq 0 || as_root="sudo -n"; \
	quietly="env DEBIAN_FRONTEND=noninteractive apt-get -qq"; \
	$$as_root $$quietly update && \
	$$as_root $$quietly install --no-install-recommends $(SYSTEM_PACKAGES) > /dev/null || \
		{ echo "As root: apt-get update && apt-get install $(SYSTEM_PACKAGES)" >&2; exit 1; }

# In the order of pyproject.toml: the long files come first, and nobody waits for them at the end.
test: setup ## Run all tests
	$(BIN)/pytest -n auto --dist loadfile --no-loadscope-reorder $(ARGS)

test-unit: setup ## Run the quick tests, which start no server
	$(BIN)/pytest -n auto --dist loadfile --no-loadscope-reorder tests/unit $(ARGS)

chaos: setup ## Prove by force that nothing is lost: ROUNDS=20, SEED=… of the first (drawn)
	CHAOS_ROUNDS=$(ROUNDS) CHAOS_SEED=$(SEED) $(BIN)/pytest -s -p no:cacheprovider tests/chaos $(ARGS)

coverage: setup ## Run all tests and show which lines none of them reached
	$(BIN)/pytest --cov $(ARGS)

lint: setup ## Check style, types and layers
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy --strict
	$(BIN)/lint-imports

format: setup ## Rewrite the code in the house format
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

bench: setup ## Run the benchmarks, or those named in ARGS
	$(BIN)/python -m tests.benchmarks $(ARGS)

docs: setup ## Build the documentation into build/docs
	$(BIN)/sphinx-build -W --keep-going --quiet docs build/docs $(ARGS)
	@echo "The documentation is in build/docs/index.html"

lock: | $(UV) ## Renew the pinned requirements (LOCK_ARGS= keeps the versions that still fit)
	$(call compile,--group tools,tools)
	$(call compile,pyproject.toml --all-extras --group dev,dev)
	$(call compile,pyproject.toml --group demo -c requirements/dev.txt,demo)

clean: ## Remove everything that was made, environments included
	rm -rf $(ENV) $(DEMO_ENV) $(TOOLS_ENV) build dist .coverage .*_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# What is to be resolved, the requirements file's name.
define compile
$(UV) pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest \
	--generate-hashes --no-header $(LOCK_ARGS) $(1) --output-file requirements/$(2).txt
endef

$(ENV)/.installed: requirements/dev.txt
$(DEMO_ENV)/.installed: requirements/demo.txt
$(ENV)/.installed $(DEMO_ENV)/.installed: pyproject.toml | $(UV)
	@test -x $(@D)/bin/python || $(UV) venv --quiet --clear --python "$$(command -v $(PYTHON))" $(@D)
	$(UV) pip sync --quiet --compile-bytecode --python $(@D)/bin/python $(filter requirements/%,$^)
	$(UV) pip install --quiet --python $(@D)/bin/python --no-deps --no-build-isolation --editable .
	@touch $@

$(TOOLS_ENV)/bin/uv: requirements/tools.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	$(PYTHON) -m venv --clear $(TOOLS_ENV)
	$(TOOLS_ENV)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/tools.txt
	@touch $@
