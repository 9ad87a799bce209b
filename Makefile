# make run · make test · make bench: each sets up .venv by itself. `make help` tells the rest.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WHEELS := build/wheel

.PHONY: help run test test-slow validate bench lint sdist clean

help:
	@echo "make run        install emerge into .venv and let 100 000 agents fall into step"
	@echo "make test       build the wheel, install it, run all tests against it"
	@echo "make test-slow  the same, with the proofs that take minutes"
	@echo "make validate   measure what docs/validation.md tells of published results, and write it"
	@echo "make bench      check results, then time emerge beside its peers and the limits of the machine"
	@echo "make lint       ruff, mypy, cython-lint, clang-format"
	@echo "make sdist      build the source distribution, install it into an empty environment, try it"
	@echo "make clean      remove what the above made"

$(VENV)/made:
	$(PYTHON) -m venv $(VENV) || { $(PYTHON) -m pip install virtualenv && $(PYTHON) -m virtualenv $(VENV); }
	$(BIN)/python -m pip install --quiet --upgrade pip
	touch $@

# The wheel that a user would get, with everything that any feature needs.
.PHONY: installed
installed: $(VENV)/made
	rm -rf $(WHEELS) build/lib.* build/temp.* build/bdist.*
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir $(WHEELS) .
	$(BIN)/python -m pip install --quiet "$$(echo $(WHEELS)/*.whl)[all]"
	$(BIN)/python -m pip install --quiet --force-reinstall --no-deps $(WHEELS)/*.whl

run: installed
	$(BIN)/emerge run

.PHONY: ready
ready: installed
	$(BIN)/python -m pip install --quiet --group test
	$(BIN)/python -m pip install --quiet --group numba || echo "numba cannot be installed: its tests are skipped"

test: ready
	$(BIN)/python -m pytest -m "not slow"

test-slow: ready
	$(BIN)/python -m pytest

validate: installed
	$(BIN)/python -m validation

# Each peer on its own: one that cannot be installed stops none of the others, and the benchmark names it.
bench: installed
	@grep -v '^#' requirements-bench.txt | while read -r line; do \
		$(BIN)/python -m pip install --quiet "$$line" </dev/null || echo "skipped: $$line cannot be installed"; \
	done
	$(BIN)/python benchmarks/main.py $(OPTIONS)

lint: $(VENV)/made
	$(BIN)/python -m pip install --quiet --group lint click matplotlib prometheus-client rich numpy
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/pre-commit run --all-files --show-diff-on-failure

sdist: $(VENV)/made
	$(BIN)/python -m pip install --quiet build
	rm -rf build/sdist build/empty
	$(BIN)/python -m build --quiet --sdist --outdir build/sdist
	$(PYTHON) -m venv build/empty || $(PYTHON) -m virtualenv build/empty
	build/empty/bin/python -m pip install --quiet --upgrade pip
	build/empty/bin/python -m pip install --quiet build/sdist/*.tar.gz pytest pytest-timeout
	cd build/empty && tar -xzf ../sdist/*.tar.gz --strip-components=1 --wildcards '*/tests' '*/pyproject.toml' \
		&& bin/python -m pytest --quiet tests/test_smoke.py

clean:
	rm -rf $(VENV) build dist src/*.egg-info emerge_ext/_engine.c src/emerge/_engine*.so emerge-run
