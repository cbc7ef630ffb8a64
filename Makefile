# Everything a developer or a curious site owner starts with. `make` alone lists the targets.
#
# uv, or pip where uv cannot be had, fills a virtual environment first (prebuilt wheels, one
# resolution), then buildout finds everything installed and only writes bin/ and parts/. All of them
# read the pins of versions.cfg.

PYTHON ?= python3
PLONE ?= 6.2
INSTALLER ?= uv
PORT ?= 8080
ONCE ?=
PROVIDER ?=
MEMBERS ?= 0,100,1000,10000,100000
ENTRIES ?= 1000,1000000
MEMORY ?= 100000
BENCH ?=
MINUTES ?= 30
FOLDER ?= var/cluster

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
# Tests and tools start many processes, and each would compile all of Plone anew.
unexport PYTHONDONTWRITEBYTECODE

# Plone 6.1 has a folder of its own: both can be built in one checkout.
OTHER := $(filter-out 6.2,$(PLONE))
ifneq ($(OTHER),$(filter 6.1,$(OTHER)))
$(error This project runs on Plone 6.1 and 6.2, and PLONE is $(PLONE))
endif
VENV := $(if $(OTHER),.plone-$(OTHER)/venv,.venv)
BIN := $(if $(OTHER),.plone-$(OTHER)/bin,bin)
BUILDOUT := $(if $(OTHER),buildout-$(OTHER).cfg,buildout.cfg)
VERSIONS := versions.cfg $(if $(OTHER),versions-$(OTHER).cfg)
PYTHON_TAG := $(shell "$(PYTHON)" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || echo none)
COMMA := ,
PIP_DONE := $(VENV)/.pip-$(PYTHON_TAG)
BUILD_DONE := $(VENV)/.buildout-$(PYTHON_TAG)
CONSTRAINTS := $(VENV)/constraints.txt
PACKAGES := Plone zc.buildout zc.recipe.egg zc.recipe.testrunner plone.recipe.zope2instance --editable '.[test$(if $(OTHER),,$(COMMA)cluster$(COMMA)docs$(COMMA)lint)]'
PIP := $(VENV)/bin/pip install -qq --disable-pip-version-check -c $(CONSTRAINTS)
UV := $(VENV)/bin/uv pip install --quiet --python $(VENV)/bin/python -c $(CONSTRAINTS)
LOCALES := src/niteoweb/click2sell/locales
DOMAIN := niteoweb.click2sell
TRANSLATIONS := $(patsubst %.po,%.mo,$(wildcard $(LOCALES)/*/LC_MESSAGES/$(DOMAIN).po))
# An install step that cannot reach its registry is tried three times, with a pause.
RETRY := retry() { for pause in 20 60 0; do "$$@" && return 0; [ $$pause = 0 ] || { echo "Retrying in $$pause seconds: $$*"; sleep $$pause; }; done; return 1; }; retry

# The demo's third step is its own.
STEPS := $(if $(filter demo,$(MAKECMDGOALS)),3,2)

.PHONY: help
help:  ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## */  make \1\t/' | expand -t 20

.PHONY: python
python:
	@case "$(PYTHON_TAG)" in \
	  3.11|3.12|3.13) ;; \
	  none) echo "There is no Python at '$(PYTHON)': name one with PYTHON=, for example 'make PYTHON=python3.11 build'." >&2; exit 1 ;; \
	  *) echo "This project is built with Python 3.11, 3.12 or 3.13, and '$(PYTHON)' is $(PYTHON_TAG): name another with PYTHON=." >&2; exit 1 ;; \
	esac

# uv reads no configuration of pip's: where it cannot reach a registry, pip may.
$(PIP_DONE): setup.py $(VERSIONS) | python
	@rm -rf $(VENV)
	@"$(PYTHON)" -m venv $(VENV)
	@# The last file that names a package has its version.
	@sed -sn '/^\[versions\]/,$$ s/^\([A-Za-z0-9._-]*\) *= */\1==/p' $(VERSIONS) | \
	  awk -F== '{ pin[tolower($$1)] = $$0 } END { for (name in pin) print pin[name] }' | sort > $(CONSTRAINTS)
	@install() { "$$@" setuptools wheel && "$$@" --no-build-isolation $(PACKAGES); }; \
	if [ "$(INSTALLER)" = uv ] && $(PIP) --only-binary :all: uv 2>/dev/null && \
	  echo "1/$(STEPS) Packages (uv) ..." && install $(UV); then :; \
	else echo "1/$(STEPS) Packages (pip) ..."; $(RETRY) install $(PIP); fi
	@touch $@

$(BUILD_DONE): $(PIP_DONE) buildout.cfg base.cfg $(BUILDOUT) $(VERSIONS) setup.py setup.cfg
	@echo "2/$(STEPS) Buildout ..."
	@PYTHONWARNINGS='ignore:pkg_resources is deprecated' $(VENV)/bin/buildout -N -q -c $(BUILDOUT)
	@touch $@

# Zope would compile them when it starts, but of several processes that start at once one may read
# what another one has only begun to write.
$(TRANSLATIONS): %.mo: %.po | $(BUILD_DONE)
	@$(VENV)/bin/python -c 'from zope.i18n.compile import compile_mo_file; compile_mo_file("$(DOMAIN)", "$(@D)")'

.PHONY: build
build: python $(BUILD_DONE) $(TRANSLATIONS)  ## Set up everything: virtual environment, packages, buildout

.PHONY: demo
demo: build  ## The main job from nothing, then a site to click on (PORT=8080, ONCE=1 to stop after the report, PROVIDER=stripe, plenigo or cleeng)
	@bin/zopepy -m tools.demo.run -- --port $(PORT) $(if $(PROVIDER),--provider "$(PROVIDER)") $(if $(ONCE),--once)

.PHONY: bench
bench: build  ## What purchases and pages cost (MEMBERS=100,1000 ENTRIES= MEMORY= for a short run)
	@bin/zopepy -m tools.bench.run -- --members '$(MEMBERS)' --entries '$(ENTRIES)' --memory '$(or $(MEMORY),0)' $(BENCH)

.PHONY: soak
soak: build  ## Mixed traffic for MINUTES=30: nothing may leak, slow down or get lost
	@bin/zopepy -m tools.soak.run -- --minutes $(MINUTES)

# PostgreSQL and haproxy are Debian's. On another system, or not as root: install them by hand.
.PHONY: cluster-packages
cluster-packages:
	@missing=(); ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || command -v postgres >/dev/null || missing+=(postgresql); \
	PATH="$$PATH:/usr/sbin" command -v haproxy >/dev/null || missing+=(haproxy); \
	[ $${#missing[@]} -gt 0 ] || exit 0; \
	if [ "$$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then \
	  echo "Missing for the cluster: $${missing[*]}. Install them first, as root: apt-get install $${missing[*]}" >&2; exit 1; \
	fi; \
	export DEBIAN_FRONTEND=noninteractive; \
	install() { apt-get -q update && apt-get -qy install --no-install-recommends "$${missing[@]}"; }; \
	$(RETRY) install

.PHONY: cluster
cluster: build cluster-packages  ## PostgreSQL, two Zope processes and a balancer (PORT=8080, ONCE=1, FOLDER=)
	@bin/zopepy -m tools.cluster.run -- --port $(PORT) --folder "$(FOLDER)" $(if $(ONCE),--once)

.PHONY: test-cluster
test-cluster: build cluster-packages  ## Two processes on PostgreSQL and on ZEO that are killed under load
	CLICK2SELL_PURCHASES=500 bin/test --all -m tests.cluster

.PHONY: lint
lint: build  ## Style, imports between rooms, packaging and manifest
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/lint-imports --no-logo
	$(VENV)/bin/zpretty --check src
	$(VENV)/bin/check-manifest
	$(VENV)/bin/pyroma --min 10 .

.PHONY: check
check: lint  ## Style, and all tests that need no Plone
	CLICK2SELL_EXAMPLES=0.1 bin/test -u -m niteoweb

.PHONY: i18n
i18n: build  ## Bring the message catalogues up to date with the texts in the code
	$(VENV)/bin/i18ndude rebuild-pot --pot $(LOCALES)/$(DOMAIN).pot --create $(DOMAIN) --exclude tests src/niteoweb/click2sell
	$(VENV)/bin/i18ndude sync --pot $(LOCALES)/$(DOMAIN).pot $(LOCALES)/*/LC_MESSAGES/$(DOMAIN).po

.PHONY: docs
docs: build  ## The documentation, in docs/_build/html
	$(VENV)/bin/sphinx-build -q -W --keep-going -b html docs docs/_build/html

# For the tests in a real browser. On another system than Debian, or not as root: install Chromium
# and npm by hand.
AXE_DONE := node_modules/.package-lock.json

.PHONY: chromium
chromium:
	@missing=(); for name in chromium npm; do command -v $$name >/dev/null || missing+=($$name); done; \
	[ $${#missing[@]} -gt 0 ] || exit 0; \
	if [ "$$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then \
	  echo "Missing for the tests in a browser: $${missing[*]}. Install them first." >&2; exit 1; \
	fi; \
	export DEBIAN_FRONTEND=noninteractive; \
	install() { apt-get -q update && apt-get -qy install --no-install-recommends "$${missing[@]}"; }; \
	$(RETRY) install

$(AXE_DONE): package.json package-lock.json | chromium
	@echo "axe-core ..."
	@$(RETRY) npm ci --loglevel=error --ignore-scripts --no-audit --no-fund
	@touch $@

.PHONY: browser
browser: chromium $(AXE_DONE)  ## Chromium and axe-core, for the tests in a real browser

# Side by side: two groups that keep a process busy, and two that start processes and wait. What
# needs another Plone comes when one of them has ended.
PAGES := tests[.](browser|restapi|owner|report|docs)[.]
PROOFS := tests[.]proof[.]
PROCESSES := tests[.]chromium[.]|^tools[.]

ifeq ($(OTHER),)
.PHONY: test
test: lint docs browser cluster-packages  ## Everything: style, documentation, all tests with coverage (PLONE=6.1 for those of the modules on it)
	rm -f .coverage .coverage.*
	$(MAKE) --no-print-directory -j4 -Otarget test-pages test-rooms test-proofs test-processes test-other
	$(VENV)/bin/python -m slipcover --merge .coverage.*.json --out .coverage --skip-covered --fail-under 97

# It sets marks in the code once and traces nothing, so that tests take as long as without it.
COVERAGE = $(VENV)/bin/python -m slipcover --branch --source $(CURDIR)/src/niteoweb/click2sell \
  --omit '*/tests/*' --json --out $(CURDIR)/.coverage.$@.json

.PHONY: test-pages
test-pages: build
	$(COVERAGE) bin/test --all --module '$(PAGES)'

.PHONY: test-rooms
test-rooms: build
	$(COVERAGE) bin/test --all --module '!$(PAGES)|$(PROOFS)|$(PROCESSES)'

.PHONY: test-proofs
test-proofs: build
	bin/test --all -m '$(PROOFS)'

# Without coverage: Playwright switches greenlets, which it cannot follow without hanging now and then.
.PHONY: test-processes
test-processes: build browser cluster-packages
	bin/test --all -m '$(PROCESSES)'

# With another Plone the tests of the modules: the tools, the documentation and the browser need none.
else
.PHONY: test
test: build
	$(BIN)/test --all -m '!tests[.](chromium|docs|proof)[.]|^tools[.]'
endif

# A part of them, since time is short: the rooms that have most to do with Plone.
.PHONY: test-other
test-other:
	$(MAKE) --no-print-directory PLONE=6.1 build
	.plone-6.1/bin/test --all -m 'tests[.](contentrules|member|provisioning|setup)[.]'

# What is uploaded to PyPI: checked, and then installed into an environment of its own.
.PHONY: dist
dist: lint  ## The release in dist/: source and wheel, checked, installed, and tried on a site
	rm -rf dist build/dist
	@mkdir -p build
	@$(VENV)/bin/python -m build --no-isolation --outdir dist . >build/dist.log || { cat build/dist.log; exit 1; }
	@"$(PYTHON)" -m venv build/dist
	@install() { if [ -x $(VENV)/bin/uv ]; then $(subst $(VENV)/bin/python,build/dist/bin/python,$(UV)) "$$@"; \
	else $(subst $(VENV),build/dist,$(PIP)) "$$@"; fi; }; \
	$(RETRY) install twine && build/dist/bin/twine check --strict dist/* && $(RETRY) install Plone dist/*.whl
	@build/dist/bin/python -m tools.dist

.PHONY: clean
clean:  ## Remove what was built; var/ (the database) stays
	rm -rf $(VENV) .plone-6.1 node_modules bin parts develop-eggs eggs .installed.cfg build dist docs/_build \
	  src/*.egg-info $(TRANSLATIONS) .installed-cluster.cfg .coverage .coverage.* .hypothesis .ruff_cache \
	  .import_linter_cache
