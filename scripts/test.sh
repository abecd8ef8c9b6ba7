#!/usr/bin/env bash
# The tests, in parallel; those of the command line run the release program. LRPATCH_TEST_LONG=1 runs every case of the
# fault injection and a long mutation run.
set -euo pipefail
cd "$(dirname "$0")/.."
export LRPATCH_PROGRAM=$PWD/.build/release/lrpatch
swift test
scripts/mutate.sh
