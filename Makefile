# One target per thing a person does. `make help` lists them; every target that needs an environment makes it first.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

BIN := .venv/bin
PYTHON ?=
ARGS ?=
ARCH ?= $(shell dpkg --print-architecture)
export PYTHON

.PHONY: help setup run test check fix sim day bench soak cluster deb deb-lock deb-test image image-check image-test bundle clean-data clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install what is missing: Debian packages, .venv, kiosk font
	@packaging/setup.sh

run: setup ## start broker, hub, simulated devices and the kiosk with the sample district; Ctrl-C ends all
	@exec $(BIN)/python packaging/dev/run.py --data data/run $(ARGS)

test: setup ## run every check: format, lint, types, import contracts, tests (more for pytest: ARGS="-k name")
	@echo "ruff format --check"; $(BIN)/ruff format --check .
	@echo "ruff check"; $(BIN)/ruff check .
	@echo "mypy --strict"; $(BIN)/mypy --strict
	@echo "lint-imports"; $(BIN)/lint-imports
	@echo "pytest"; $(BIN)/python -m pytest -m "not soak" $(ARGS)

check: test ## the same as test

fix: setup ## format the code and repair what the linter can repair
	@$(BIN)/ruff check --fix-only .
	@$(BIN)/ruff format .

sim: setup ## start the simulated devices alone and print their terminals
	@$(BIN)/python packaging/dev/run.py --data data/sim --only sim $(ARGS)

day: setup ## play one whole day at the point through the real program; report and pictures in build/day/
	@$(BIN)/python tests/day/play.py $(ARGS)

bench: setup ## measure the figures against the limits of this machine
	@$(BIN)/python tests/bench/run.py $(ARGS)

soak: setup ## run the long versions of the fault tests; ends with the table of invariants
	@$(BIN)/python -m pytest -m soak --timeout=3600 -s $(ARGS)

cluster: setup ## kill each of three broker nodes while points send; ends with what the hub holds
	@packaging/hub/get_broker.sh
	@$(BIN)/python packaging/hub/drill.py $(ARGS)

image: ## build the flashable image in build/image/ (ARCH=amd64 or arm64; needs root or sudo)
	@packaging/image/build.sh $(ARCH)

image-check: setup ## boot the amd64 image once in QEMU and work it; tells what it leaves out (minutes)
	@tests/image/get_tools.sh
	@[ -n "$$(ls build/image/*-amd64.img 2>/dev/null)" ] || $(MAKE) image ARCH=amd64
	@$(BIN)/python tests/image/image_test.py check $(ARGS)

image-test: setup ## boot, work, cut and update the images in QEMU; ends with counts and times (hours under emulation)
	@tests/image/get_tools.sh arm64
	@[ -n "$$(ls build/image/*-amd64.img 2>/dev/null)" ] || $(MAKE) image ARCH=amd64
	@$(BIN)/python tests/image/image_test.py test $(ARGS)

bundle: ## make the signed update bundle of the image that was built last (ARCH=amd64 or arm64)
	@packaging/image/bundle.sh $(ARCH)

deb: setup ## build the Debian packages village-point and village-hub in build/deb/ (ARCH=amd64 or arm64)
	@packaging/debian/get_tools.sh $(ARCH)
	@$(BIN)/python packaging/debian/build.py --arch $(ARCH) $(ARGS)

deb-lock: setup ## write the lock of the packages' libraries again, after packaging/requirements.lock changed
	@$(BIN)/python packaging/debian/lock.py

deb-test: setup ## install, upgrade, remove and purge both packages in a clean Debian 12
	@packaging/debian/get_tools.sh amd64 test
	@$(BIN)/python packaging/debian/try.py $(ARGS)

clean-data: ## forget the sample district of make run and make sim
	@for folder in data/run data/run-first data/sim; do \
	  if [ -e $$folder/.lock ] && ! flock --nonblock $$folder/.lock true; then \
	    echo "$$folder is in use; end that make run first (Ctrl-C)"; exit 1; fi; done
	@rm -rf data/run data/run-first data/sim
	@echo "The sample district is forgotten. The next make run starts a new one."

clean: clean-data ## remove everything that was made: .venv, build, caches, kiosk font
	@rm -rf .venv build *.egg-info ui/fonts/*.otf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
