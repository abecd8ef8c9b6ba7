#!/usr/bin/env bash
# Builds the example package, which depends on this one as anybody's would, and lets it patch a model.
set -euo pipefail
cd "$(dirname "$0")/.."
lrpatch=${LRPATCH:-.build/release/lrpatch}
swift build --package-path examples/patch-gguf --scratch-path .build/example
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp fixtures/models/needle-256-x4.gguf "$work/model.gguf"
factors=fixtures/models/needle-256-x4.factors.json
.build/example/debug/patch-gguf "$factors" "$work/model.gguf" >/dev/null
"$lrpatch" apply "$factors" "$work/model.gguf" --check -q
echo "the example patches a model"
