# `make demo` and `make test` do everything a fresh Debian machine with Python 3.11 needs.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
APT_NEEDED := chromium fonts-noto-cjk postgresql-15 postgresql-15-postgis-3

.PHONY: demo test test-all check apt viewer clean samples

demo: $(VENV)/.installed
	$(BIN)/gridmap demo -o out

test: apt viewer $(VENV)/.dev check
	$(BIN)/python -m pytest -n 3 -m "not slow"

test-all: apt viewer $(VENV)/.dev check
	$(BIN)/python -m pytest -n 2

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The samples are committed; this writes them anew, byte for byte.
samples: $(VENV)/.installed
	$(BIN)/python data/samples/make_samples.py

$(VENV)/bin/python:
	@command -v $(PYTHON) >/dev/null || { echo "gridmap needs $(PYTHON)"; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  [ "$$(id -u)" = 0 ] || { echo "install python3.11-venv, or run as root"; exit 2; }; \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3.11-venv; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@ $(VENV)/.installed

apt:
	@missing=""; for p in $(APT_NEEDED); do dpkg -s $$p >/dev/null 2>&1 || missing="$$missing $$p"; done; \
	if [ -n "$$missing" ]; then \
	  [ "$$(id -u)" = 0 ] || { echo "the tests need the Debian packages:$$missing"; exit 2; }; \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $$missing; \
	fi

# What maps are drawn with, for the tests in a browser and the web page.
viewer: src/gridmap/viewer/node_modules/.package-lock.json

src/gridmap/viewer/node_modules/.package-lock.json: src/gridmap/viewer/package.json src/gridmap/viewer/package-lock.json
	@command -v npm >/dev/null || { \
	  [ "$$(id -u)" = 0 ] || { echo "the tests need the Debian packages: nodejs npm"; exit 2; }; \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nodejs npm; }
	cd src/gridmap/viewer && npm ci --ignore-scripts --silent
	@touch $@

clean:
	rm -rf $(VENV) out build dist src/gridmap/viewer/node_modules
