# `make demo` and `make test` need nothing but Python 3.11 or newer, and make.

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
INSTALLED = $(VENV)/.installed
DEMO_INSTALLED = $(VENV)/.demo-installed
DOCS_INSTALLED = $(VENV)/.docs-installed

.PHONY: demo test test-data published-test coverage lint format docs bench soak cluster-test clean

demo: $(DEMO_INSTALLED)  ## Serve the example with three frameworks; MULTISERVE_PORT=5000 make demo takes another port.
	@echo "Pyramid, Django with its admin, and Flask on one port; sign in as demo with the password demo."
	@$(BIN)/multiserve run -c examples/three-frameworks/multiserve.toml

test: $(INSTALLED)  ## Run all tests.
	$(BIN)/python -m pytest -n 3 --dist loadgroup  # on two cores: many tests wait for processes

test-data: $(INSTALLED)  ## Run the tests that need Dash, Streamlit, Gradio, MCP and the like, which it installs.
	$(BIN)/python -m pip install --quiet --group data
	$(BIN)/python -m pytest -n 3 --dist loadgroup tests/end_to_end/test_objects.py tests/end_to_end/test_isolated.py tests/end_to_end/test_cookbook.py tests/test_documents.py

published-test: $(INSTALLED)  ## Check compositions of published applications, each in an environment that it makes; ARGS="wagtail" for some.
	$(BIN)/python tests/published $(ARGS)

coverage: $(INSTALLED)  ## Run the tests that start no server, and say how much of the code they reach.
	$(BIN)/python -m pytest -n 3 --dist loadgroup --ignore tests/end_to_end --cov --cov-report term:skip-covered

lint: $(INSTALLED)  ## Check style, types, and which module imports which.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(INSTALLED)  ## Put the code into shape.
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(DOCS_INSTALLED)  ## Build the documentation site into build/site; a link that leads nowhere fails.
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --config-file .ci/mkdocs.yml  # with --quiet, --strict sees no warning
	@echo "The documentation site is in build/site/index.html."

bench: $(INSTALLED)  ## Compare with what one would use instead; ARGS=--quick for a first look.
	$(BIN)/python -m pip install --quiet --group bench
	$(BIN)/python tests/benchmarks $(ARGS)

soak: $(INSTALLED)  ## Serve for five minutes to clients of every kind, and see that nothing grows; ARGS="--seconds 60".
	$(BIN)/python tests/soak $(ARGS)

cluster-test: $(INSTALLED)  ## Run the exported files on a real Kubernetes and a real dockerd; see tests/cluster/README.md. ARGS="-k docker".
	$(BIN)/python -m pip install --quiet --group cluster
	$(BIN)/python tests/cluster $(ARGS)

clean:  ## Remove what the other targets made.
	rm -rf $(VENV) build dist

$(INSTALLED): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --editable . --group dev
	touch $@ $(DEMO_INSTALLED)  # dev has all that the demo needs

$(DEMO_INSTALLED): pyproject.toml
	@echo "Installing multiserve and the three frameworks of the demo into $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	@$(BIN)/python -m pip install --quiet --editable . --group demo
	@touch $@

$(DOCS_INSTALLED): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --group docs
	@touch $@
