#!/usr/bin/env bash
# Builds programs as they are released: scripts/build.sh [PRODUCT ...], default lrpatch. They are in .build/release.
#
# Swift's runtime is linked in, so that the program runs without Swift; the default linker warns about what Foundation
# calls. Code that nothing uses or that is there twice is left out, and so are the names that no other program looks up: a
# wheel is 0.7 MB smaller for that. No path of this folder gets into the program, so that every folder gives the same bytes;
# nor do the hashes of modules, for incremental code generation, which depend on the paths.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
for product in "${@:-lrpatch}"; do
  swift build -c release --static-swift-stdlib --product "$product" \
    -Xswiftc -use-ld=lld -Xlinker --gc-sections -Xlinker --icf=all -Xlinker --no-export-dynamic \
    -Xswiftc -Xfrontend -Xswiftc -disable-incremental-llvm-codegen \
    -Xswiftc -file-prefix-map -Xswiftc "$root=." -Xcc "-ffile-prefix-map=$root=."
done
