#!/usr/bin/env bash
# Checks what a reviewer would otherwise look for: formatting, unsafe code outside its files, unfinished words.
set -euo pipefail
cd "$(dirname "$0")/.."
status=0

report() { echo "lint: $1" >&2; shift; printf '%s\n' "$@" >&2; status=1; }

# `unsafe` belongs to the files that wrap system calls, C libraries and raw memory.
allowed='Sources/Formats/Bytes/|Sources/Formats/Quantized/|Sources/Numerics/|Sources/Verify/Tasks/ShippedText.swift|Sources/Convert/Tensors/RowConverter.swift|Sources/Verify/Run/Ranks.swift|Sources/Formats/Zstd.swift|Sources/Formats/JSON/JSONText.swift|Sources/Inference/Tokenizer/NSRegularExpression\+Search.swift|Sources/lrpatch/Process/|Sources/lrpatch/Output/Output.swift'
found=$(grep -rnE '\bunsafe \w' Sources --include='*.swift' | grep -vE "^($allowed)" | grep -vE 'static func unsafe|\.unsafe|//|"' || true)
[ -z "$found" ] || report "unsafe code outside its files" "$found"

found=$(grep -rnE 'TODO|FIXME|XXX|fatalError\(|try!|as!' Sources Tests || true)
[ -z "$found" ] || report "unfinished or forced code" "$found"

if command -v swift-format >/dev/null; then
  found=$(find Sources Tests Package.swift -name '*.swift' -print0 | xargs -0 swift-format lint 2>&1 || true)
  [ -z "$found" ] || report "swift-format" "$found"
fi
exit $status
