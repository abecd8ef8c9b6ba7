#!/usr/bin/env bash
# Builds the library's documentation with DocC: one site for each module, in .build/docs/MODULE. A warning of DocC
# fails, above all a broken link; a parameter without documentation does not.
#
#   scripts/docs.sh        after `make build`
set -euo pipefail
cd "$(dirname "$0")/.."
command -v docc >/dev/null || { echo "error: docc is missing; it comes with Swift's toolchain" >&2; exit 1; }
built=.build/release
[ -d "$built/Modules" ] || { echo "error: nothing is built; run make build" >&2; exit 1; }
docs=.build/docs
rm -rf "$docs"
maps=()
for map in "$built"/C{Linux,Kernels,Texts}.build/module.modulemap Sources/C{Zstd,JSONC,BLAS}/module.modulemap \
  .build/checkouts/Yams/Sources/CYaml/include/module.modulemap; do
  maps+=(-Xcc "-fmodule-map-file=$map")
done
target=$(swiftc -print-target-info | sed -n 's/^ *"unversionedTriple": "\(.*\)",*$/\1/p' | head -n 1)
for module in Formats Models Patch Inference Verify Convert Search Release; do
  mkdir -p "$docs/graphs/$module"
  swift symbolgraph-extract -module-name "$module" -I "$built/Modules" "${maps[@]}" -output-dir "$docs/graphs/$module" \
    -target "$target" -minimum-access-level public
  docc convert "Sources/$module/$module.docc" --additional-symbol-graph-dir "$docs/graphs/$module" \
    --fallback-display-name "$module" --fallback-bundle-identifier "lrpatch.$module" \
    --output-path "$docs/$module" >"$docs/$module.log" 2>&1 || { cat "$docs/$module.log"; exit 1; }
  if grep -A 6 "^warning: " "$docs/$module.log" | grep -v "is missing documentation" | grep -A 6 "^warning: "; then
    echo "error: the documentation of $module has these warnings" >&2
    exit 1
  fi
done
echo "documentation in $docs"
