#!/usr/bin/env bash
# Runs the tests under the address sanitizer. Tests of the command line run the release program.
# LRPATCH_TEST_LONG=1 runs many more mutations.
set -euo pipefail
cd "$(dirname "$0")/.."
export LRPATCH_PROGRAM=$PWD/.build/release/lrpatch
# Swift's runtime never frees some allocations, so leaks are not checked. The quarantine would count as the tests' own memory.
export ASAN_OPTIONS=detect_leaks=0:quarantine_size_mb=1
# The default linker warns about the sanitizer's symbols.
swift test --sanitize=address -Xswiftc -use-ld=lld --scratch-path .build/sanitized "$@"
