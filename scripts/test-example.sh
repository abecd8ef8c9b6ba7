#!/usr/bin/env bash
# Builds the package of examples, which depends on this package as any other would, and runs them: one patches a model,
# the other verifies a model and searches factors for it.
set -euo pipefail
cd "$(dirname "$0")/.."
lrpatch=${LRPATCH:-.build/release/lrpatch}
swift build --package-path examples --scratch-path .build/example
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cp fixtures/models/needle-256-x4.gguf "$work/model.gguf"
factors=fixtures/models/needle-256-x4.factors.json
.build/example/debug/patch-gguf "$factors" "$work/model.gguf" >/dev/null
"$lrpatch" apply "$factors" "$work/model.gguf" --check -q
echo "patch-gguf patches a model"

.build/example/debug/verify-and-search fixtures/models/needle-256 512 >"$work/found"
grep -q "^passkey@short>=0.9 passed" "$work/found"
grep -q "candidates: \[1\.[0-9]" "$work/found"
echo "verify-and-search judges a model and finds factors"
