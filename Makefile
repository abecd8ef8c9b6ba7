# Each target sets up what it needs. `make demo` and `make test` work on a fresh machine.
.PHONY: setup build demo test test-long test-mpi test-packages lint conformance bench results docs install uninstall deb wheel clean

PREFIX ?= /usr/local
DESTDIR ?=
export PREFIX DESTDIR

setup:
	@scripts/setup.sh

# With Swift's runtime inside, so that it runs where Swift is not. The default linker warns of what Foundation calls.
build: setup
	swift build -c release --static-swift-stdlib -Xswiftc -use-ld=lld --product lrpatch

demo: build
	@scripts/demo.sh

# Debug tests drive the release program where they need a process.
test: build
	@scripts/setup.sh python3-jsonschema
	scripts/test.sh
	scripts/test-guides.py
	scripts/docs.sh
	scripts/test-example.sh

test-long: build
	@scripts/setup.sh python3-jsonschema
	LRPATCH_TEST_LONG=1 scripts/test.sh
	scripts/test-file-systems.sh

lint: setup
	@scripts/lint.sh

# Compares with transformers, vLLM, SGLang, MLX-LM and llama.cpp themselves; sets them up at the first run.
conformance: build
	swift build -c release --static-swift-stdlib -Xswiftc -use-ld=lld --product lrpatch-probe
	scripts/peers.sh
	scripts/conformance/run.sh
	LRPATCH_VOCABULARIES=$${LRPATCH_PEERS:-$$HOME/.cache/lrpatch-peers}/llama.cpp-source/models \
	  scripts/test.sh --filter writesWhatItRead

# Beside llama.cpp and transformers, set up at the first run.
bench: build
	swift build -c release --static-swift-stdlib -Xswiftc -use-ld=lld --product lrpatch-probe
	scripts/peers.sh
	scripts/bench-in-place.sh
	$${LRPATCH_PEERS:-$$HOME/.cache/lrpatch-peers}/venv/bin/python scripts/bench-verify.py
	$${LRPATCH_PEERS:-$$HOME/.cache/lrpatch-peers}/venv/bin/python scripts/bench-convert.py
	$${LRPATCH_PEERS:-$$HOME/.cache/lrpatch-peers}/venv/bin/python scripts/bench-search.py

# Closed forms and searches on the trained fixture model, into specs/results.md: half an hour on two cores.
results: build
	python3 scripts/results.py

# Searches under mpirun; needs libopenmpi-dev and openmpi-bin.
test-mpi: setup
	scripts/test-mpi.sh

# What `make build` made, into PREFIX; no build, so that it can run as root: make build && sudo make install
install:
	@scripts/install.sh

uninstall:
	@scripts/install.sh uninstall

# The Debian package and the Python wheel, into .build/packages.
deb: build
	@scripts/setup.sh dpkg-dev
	packaging/deb.sh

wheel: build
	@scripts/setup.sh patchelf
	packaging/wheel.py

# Installs what the checks need where it runs as root; two minutes.
test-packages: build
	@scripts/setup.sh dpkg-dev patchelf
	scripts/test-packages.sh

# The library's documentation, by DocC, into .build/docs.
docs: build
	scripts/docs.sh

clean:
	rm -rf .build
