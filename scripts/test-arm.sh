#!/usr/bin/env bash
# Compares the Arm kernels with the portable ones on emulated processors, and counts their instructions: an emulator says
# nothing about speed. Debian's gcc and Swift's clang both compile them.
#
#   scripts/test-arm.sh [no-count]
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user python3

folder=.build/arm
flags=(-O2 -Wall -Wextra -Werror -ISources/CKernels/include)

# Builds the test with a compiler: build NAME COMPILER...
build() {
  local name=$1 source
  shift
  mkdir -p "$folder/$name"
  for source in Sources/CKernels/*.c Tests/Arm/compare.c; do
    "$@" "${flags[@]}" -c "$source" -o "$folder/$name/$(basename "$source" .c).o"
  done
}

link() {
  local name=$1
  shift
  "$@" "$folder/$name"/*.o -lm -o "$folder/test-$name"
}

# Runs the test as a processor, on which a level must be the best: check COMPILER PROCESSOR LEVEL
check() {
  local output
  echo "== $1, $2"
  output=$(qemu-aarch64 -cpu "$2" "$folder/test-$1") || { echo "$output"; exit 1; }
  echo "$output"
  grep -qx "best: $3" <<<"$output" || { echo "error: the best level is not $3" >&2; exit 1; }
  grep -q "bits $bits\$" <<<"$output" || { echo "error: the portable kernels give other bits than here" >&2; exit 1; }
}

build here cc
link here cc
build gcc aarch64-linux-gnu-gcc
build clang clang --target=aarch64-linux-gnu
for compiler in gcc clang; do link $compiler aarch64-linux-gnu-gcc -static; done

echo "== cc, this processor"
"$folder/test-here" | tee "$folder/here.txt"
bits=$(sed -n 's/.* bits //p' "$folder/here.txt")
for compiler in gcc clang; do
  check $compiler max neon-bf16
  check $compiler neoverse-n1 neon-dotprod
  check $compiler cortex-a53 neon
done
[ "${1:-}" = no-count ] || python3 scripts/count-arm.py "$folder/test-clang"
