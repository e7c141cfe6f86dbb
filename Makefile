# The everyday commands. What they do stands in CMakePresets.json, scripts/ and .ci/run.
BUILD := build
MAKEFLAGS += --no-print-directory
JOBS := $(shell nproc 2>/dev/null || echo 2)
FUZZ_SECONDS ?= 60
MINUTES ?= 10
SEED ?= 1
COPAL_WERROR ?= OFF

CONFIGURE = cmake --preset release -DCOPAL_WERROR=$(COPAL_WERROR)
COMPILE = cmake --build $(BUILD) -j $(JOBS)

.PHONY: all run test coverage bench static install fuzz soak tidy format clean dependencies

all:
	@command -v cmake >/dev/null || { echo "cmake is missing: make dependencies"; exit 1; }
	$(CONFIGURE)
	$(COMPILE)

run:
	scripts/install-dependencies run
	$(CONFIGURE) -DCOPAL_TESTS=OFF
	$(COMPILE)
	bash scripts/demo

test: dependencies
	$(CONFIGURE) -DCOPAL_TESTS=ON
	$(COMPILE)
	scripts/run-tests $(BUILD)

coverage:
	scripts/install-dependencies test ci
	scripts/coverage

bench:
	scripts/install-dependencies test bench
	$(MAKE) static
	$(CONFIGURE) -DCOPAL_TESTS=ON
	$(COMPILE)
	python3 -B bench/run.py --programs $(BUILD)/bench --output $(BUILD)/bench.json
	python3 -B bench/page.py --input $(BUILD)/bench.json
	$(BUILD)/bench/command
	scripts/footprint

.PHONY: mutants
mutants: dependencies
	scripts/mutants --write

static:
	scripts/install-dependencies static
	cmake --preset static
	cmake --build build-static -j $(JOBS) --target copal_command
	@stat -c "%n: %s bytes, static and stripped" build-static/copal

install: all
	cmake --install $(BUILD) $(if $(PREFIX),--prefix $(PREFIX))

fuzz:
	scripts/install-dependencies test ci
	scripts/fuzz $(FUZZ_SECONDS)

soak: dependencies
	$(CONFIGURE) -DCOPAL_TESTS=ON
	cmake --build $(BUILD) -j $(JOBS) --target copal-sim
	$(BUILD)/tests/copal-sim --minutes $(MINUTES) --seed $(SEED) --exchanges 20000

tidy:
	scripts/install-dependencies test ci
	cmake --preset tidy
	cmake --build build-tidy -j $(JOBS)

format:
	scripts/format --in-place

clean:
	rm -rf $(BUILD) build-*

dependencies:
	scripts/install-dependencies test
