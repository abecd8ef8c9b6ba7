# Each target installs what it needs. `make demo` and `make test` work on a fresh machine.
.PHONY: setup build demo test test-long test-power fuzz test-mpi test-packages test-arm lint conformance bench release results results-real docs install uninstall deb wheel clean

PREFIX ?= /usr/local
DESTDIR ?=
export PREFIX DESTDIR

setup:
	@scripts/setup.sh

build: setup
	scripts/build.sh

demo: build
	@scripts/demo.sh

# Debug tests run the release program when they need a process.
test: build
	@scripts/setup.sh python3-jsonschema
	scripts/test.sh
	scripts/test-guides.py
	scripts/docs.sh
	scripts/check-snippets.py
	scripts/test-example.sh

test-long: build
	@scripts/setup.sh python3-jsonschema xfsprogs btrfs-progs
	LRPATCH_TEST_LONG=1 scripts/test.sh
	scripts/test-file-systems.sh
	scripts/test-threads.sh

# Recovers the disk states that power losses may leave, and prints the table of specs/reliability.md. Minutes.
test-power: build
	python3 Tests/Faults/power --self-test
	python3 Tests/Faults/power

# Gives inputs to all readers of files, guided by coverage, for FUZZ_MINUTES of processor time each; prints the table of
# specs/reliability.md. FUZZ_TARGETS names some of them.
FUZZ_MINUTES ?= 1
fuzz: setup
	LRPATCH_FUZZ=1 swift build -c release --sanitize fuzzer --product lrpatch-fuzz --scratch-path .build/fuzz -Xswiftc -use-ld=lld
	Tests/Fuzz/fuzz.py --minutes $(FUZZ_MINUTES) $(FUZZ_TARGETS)

lint: setup
	@scripts/lint.sh

# Compares lrpatch with the runtimes that people use. The first run sets them up; what cannot be set up is skipped.
conformance: build
	scripts/build.sh lrpatch-probe
	scripts/peers.sh
	scripts/peers-engines.sh
	scripts/conformance/run.sh
	LRPATCH_VOCABULARIES=$${LRPATCH_PEERS:-$$HOME/.cache/lrpatch-peers}/llama.cpp-source/models \
	  scripts/test.sh --filter writesWhatItRead

# Benchmarks against llama.cpp and transformers. The first run sets them up.
bench: build
	scripts/build.sh lrpatch-probe
	scripts/peers.sh
	scripts/bench-in-place.sh
	$${LRPATCH_PEERS:-$$HOME/.cache/lrpatch-peers}/venv/bin/python scripts/bench-verify.py
	$${LRPATCH_PEERS:-$$HOME/.cache/lrpatch-peers}/venv/bin/python scripts/bench-convert.py
	$${LRPATCH_PEERS:-$$HOME/.cache/lrpatch-peers}/venv/bin/python scripts/bench-search.py

# Write specs/results.md: prompts in chunks, closed forms and searches on the trained fixture model. Half an hour on two cores.
results: build
	python3 scripts/results-chunks.py
	python3 scripts/results.py

# Writes the sections of specs/results.md on a language model from PyPI. Up to four hours on two cores; the searches are
# resumable.
results-real: build
	python3 scripts/results-real.py
	python3 scripts/results-chunks.py smollm2

# Runs searches and verifications under mpirun; needs libopenmpi-dev and openmpi-bin.
test-mpi: setup
	scripts/test-mpi.sh

# Installs what `make build` made into PREFIX. It does not build, so that it can run as root: make build && sudo make install
install:
	@scripts/install.sh

uninstall:
	@scripts/install.sh uninstall

# Build the Debian package and the Python wheel, in .build/packages.
deb: build
	@scripts/setup.sh dpkg-dev
	packaging/deb.sh

wheel: build
	@scripts/setup.sh patchelf advancecomp
	packaging/wheel.py

# Makes a release from a tag, in .build/releases: make release TAG=v0.1.0 RELEASE_URL=https://... Builds twice.
release: setup
	@scripts/setup.sh dpkg-dev patchelf advancecomp xz-utils
	packaging/release.sh "$(TAG)"

# As root, installs what the checks need. Two minutes.
test-packages: build
	@scripts/setup.sh dpkg-dev patchelf advancecomp
	scripts/test-packages.sh

# Tests the Arm kernels on emulated processors and counts their instructions. One minute.
test-arm: setup
	scripts/test-arm.sh

# Builds the library's documentation with DocC, in .build/docs.
docs: build
	scripts/docs.sh

clean:
	rm -rf .build
