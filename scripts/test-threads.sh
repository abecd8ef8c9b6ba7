#!/usr/bin/env bash
# Runs verify, convert and search under the thread sanitizer, each with four threads. Ten minutes, most of which is the build.
set -euo pipefail
cd "$(dirname "$0")/.."
swift build -c release --sanitize=thread --product lrpatch --scratch-path .build/threads -Xswiftc -use-ld=lld
lrpatch=$PWD/.build/threads/release/lrpatch
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$(dirname "$(readlink -f "$(command -v swiftc)")")/clang" -O1 -Wall -Wextra -Werror -fPIC -shared \
  Tests/Faults/mutexes.c -o "$work/mutexes.so" -ldl
# OpenBLAS is not built for the sanitizer, so what it does is not watched.
export TSAN_OPTIONS="exitcode=66 report_signal_unsafe=0 suppressions=$PWD/Tests/Faults/threads.suppressions"
model=fixtures/models/needle-256-x4 factors=fixtures/models/needle-256-x4.factors.json
status=0

run() { # name, command ...
  if LD_PRELOAD=$work/mutexes.so "${@:2}" >"$work/output" 2>&1; then echo "ok    $1"; else
    echo "FAIL  $1: exit $?" >&2
    grep -A12 "WARNING: ThreadSanitizer" "$work/output" | head -60 >&2 || tail -5 "$work/output" >&2
    status=1
  fi
}

run "verify" "$lrpatch" verify "$model" --factors "$factors" --baseline fixtures/models/needle-256 --task passkey,perplexity,crossing \
  --perplexity fixtures/text/moby-dick-opening.txt --lengths 256,512 --samples 1 --depths 3 --windows 2 --no-gates --threads 4 --no-progress
run "verify, fast" "$lrpatch" verify "$model.gguf" --factors "$factors" --precision fast --cache q8_0 --lengths 512 --samples 1 \
  --depths 2 --no-gates --threads 4 --no-progress
run "convert to GGUF" "$lrpatch" convert "$model" -o "$work/m.gguf" --type q8_0 --threads 4 --no-progress
run "convert to a folder" "$lrpatch" convert "$work/m.gguf" -o "$work/m" --threads 4 --no-progress
for algorithm in gradient longrope cma-es; do
  run "search by $algorithm" "$lrpatch" search fixtures/models/needle-256 --target-length 512 --algorithm "$algorithm" \
    -o "$work/$algorithm.json" --documents 2 --iterations 2 --threads 4 --no-progress
done
exit $status
