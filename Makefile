# The common errands. `make verify` and `make test` do their own set-up; nothing else is needed first.
#
# Variables: PROFILE=quick|full|stress (verify), TIME=60s (fuzz), ARGS="..." (passed to noether or pytest), RUN=runs/NAME (report),
#            NOETHER_PYTHON=PATH (use this interpreter as it is and install nothing),
#            NEWEST="torch triton" (what newest takes: "triton" alone, "triton==3.8.0", "--pre torch triton").

.DEFAULT_GOAL := help
.PHONY: help verify test check faults fuzz stress bench report findings pictures architecture docs gpu newest \
        clean build/import

PROFILE ?= quick
TIME ?= 60s
NEWEST ?= torch triton
BOOTSTRAP ?= python3

ifdef NOETHER_PYTHON
PYTHON := $(NOETHER_PYTHON)
READY := build/import
BENCH := build/import
export PYTHONPATH := $(CURDIR)/build/import$(if $(PYTHONPATH),:$(PYTHONPATH))
else
PYTHON := .venv/bin/python
READY := .venv/.ready
BENCH := .venv/.bench
endif

# Where pytest-xdist is (the dev extra has it); a core that is done takes tests over from the other.
PARALLEL = $(shell $(PYTHON) -c "import xdist; print('-n auto --dist worksteal')" 2>/dev/null)

# `make gpu` must run where nothing can be installed: it takes what is there and never makes an environment.
GPU_PYTHON := $(or $(NOETHER_PYTHON),$(wildcard .venv/bin/python),$(BOOTSTRAP))

help:  ## List these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

verify: $(READY)  ## Decide every law on every case (quick; PROFILE=full for all)
	$(PYTHON) -m noether verify --profile $(PROFILE) $(ARGS)

test: $(READY)  ## Run the tests, on all cores
	$(PYTHON) -m pytest $(PARALLEL) $(ARGS)

check: $(READY)  ## Lint, then test
	$(PYTHON) -m ruff check .
	$(PYTHON) -m pytest $(PARALLEL) $(ARGS)

faults: $(READY)  ## Plant every fault and show which law kills it (quick; PROFILE=full)
	$(PYTHON) -m noether faults --profile $(PROFILE) $(ARGS)

fuzz: $(READY)  ## Try random launches under six exact laws for TIME (60s), after the corpus
	$(PYTHON) -m noether fuzz --for $(TIME) $(ARGS)

stress: $(READY)  ## Kill, double, starve and damage runs; 10^6 lanes, 10^7 steps (ARGS="kills lanes" for parts)
	$(PYTHON) -m noether.labs.stress.campaign $(ARGS)

bench: $(BENCH)  ## Measure ours against numba, jax and torch.compile (ARGS="--work ode": diffrax, heyoka)
	$(PYTHON) -m noether bench $(ARGS)

report: $(READY)  ## Write report.html of a run (the newest, or RUN=runs/NAME)
	$(PYTHON) -m noether report $(RUN)

findings: $(READY)  ## Write docs/findings.md and its pictures of a run (the newest, or RUN=runs/NAME)
	$(PYTHON) -m noether findings $(RUN)

pictures: $(READY)  ## Draw the pictures of README.md and docs/findings.md again, from what is kept
	$(PYTHON) -m noether.labs.charge_picture
	$(PYTHON) -m noether.report.findings

architecture: $(READY)  ## Write docs/architecture.md and its picture from docstrings and imports
	$(PYTHON) -m noether.labs.house

# Not --quiet: with it mkdocs 1.6 drops warnings before --strict counts them. The variable stops notices of the
# theme.
docs: $(READY)  ## Write the documentation as a site, build/site/index.html; any warning fails
	NO_MKDOCS_2_WARNING=1 $(PYTHON) -m mkdocs build --strict $(ARGS)
	@echo "build/site/index.html"

gpu: build/import  ## Everything that needs a GPU: verification, parity, speed; installs nothing
	PYTHONPATH=$(CURDIR)/build/import$${PYTHONPATH:+:$$PYTHONPATH} $(GPU_PYTHON) -m noether.labs.gpu $(ARGS)

# Without constraints, and without the extras that exclude a Triton: what somebody gets tomorrow is to be seen today.
newest:  ## The quick profile on the newest torch and Triton, in build/newest, its own environment
	$(BOOTSTRAP) -m venv build/newest
	build/newest/bin/python -m pip install --quiet --disable-pip-version-check --upgrade --upgrade-strategy eager -e . $(NEWEST)
	build/newest/bin/python -m noether doctor
	build/newest/bin/python -m noether verify --profile $(PROFILE) $(ARGS)

clean:  ## Remove caches and build products; keeps .venv and runs
	rm -rf build *.egg-info .pytest_cache .ruff_cache .hypothesis
	find . -path ./.venv -prune -o -name __pycache__ -type d -exec rm -rf {} +

# A folder of links in which python finds the package where nothing is installed: harness/ is noether, and kernels/ and
# cases/ are folders in it (pyproject.toml maps them so where it is).
build/import:
	@rm -rf $@ && mkdir -p $@/noether
	@ln -s $(CURDIR)/harness/* $(CURDIR)/kernels $(CURDIR)/cases $@/noether/

# The environment. venv on an existing .venv repairs it in place; the stamp is last, so that an install that
# was interrupted is done again, and a fresh stamp means that nothing is fetched.
.venv/.ready: pyproject.toml constraints.txt
	$(BOOTSTRAP) -m venv .venv
	.venv/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

# The other tools of the benchmark: 0.6 GB that nothing else needs, hence a stamp of their own.
.venv/.bench: .venv/.ready
	.venv/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[bench,reference]'
	@touch $@
