#!/usr/bin/env bash
# Builds the library's documentation with DocC: one site for each module, in .build/docs/MODULE. Links that lead nowhere fail.
#
#   scripts/docs.sh
set -euo pipefail
cd "$(dirname "$0")/.."
command -v docc >/dev/null || { echo "error: docc is missing; it comes with Swift's toolchain" >&2; exit 1; }
graphs=.build/docs/graphs
rm -rf .build/docs
mkdir -p "$graphs"
swift build -c release --product lrpatch --scratch-path .build/docs-build \
  -Xswiftc -emit-symbol-graph -Xswiftc -emit-symbol-graph-dir -Xswiftc "$graphs"
for module in Formats Patch Verify Convert Search; do
  mkdir -p "$graphs/$module"
  mv "$graphs/$module.symbols.json" "$graphs/$module"@*.symbols.json "$graphs/$module/" 2>/dev/null || true
  docc convert "Sources/$module/$module.docc" --additional-symbol-graph-dir "$graphs/$module" \
    --fallback-display-name "$module" --fallback-bundle-identifier "lrpatch.$module" --warnings-as-errors \
    --output-path ".build/docs/$module"
done
echo "documentation in .build/docs"
