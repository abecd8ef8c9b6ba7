#!/usr/bin/env bash
# Patches the fixture model, as a folder and as a GGUF file, shows what every runtime would use before and after, and
# reverts it. Works on copies in a temporary folder.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
lrpatch=$root/.build/release/lrpatch
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r "$root/fixtures/models/needle-256-x4" "$root/fixtures/models/needle-256-x4.gguf" "$work"
factors=$root/fixtures/models/needle-256-x4.factors.json
cd "$work"

step() { printf '\n== %s\n' "$*"; }
show() { printf '$ lrpatch %s\n' "$*"; "$lrpatch" "$@"; }

step "The model as it comes: weights trained for 1024 tokens, a config that says 256"
show inspect needle-256-x4
step "Patch the folder in place"
show apply "$factors" needle-256-x4
show inspect needle-256-x4
show lint needle-256-x4
show apply "$factors" needle-256-x4 --check
step "Patch the GGUF file in place"
before=$(sha256sum needle-256-x4.gguf)
show apply "$factors" needle-256-x4.gguf
show inspect needle-256-x4.gguf
show lint needle-256-x4.gguf
step "Revert: every byte comes back"
show revert needle-256-x4
show revert needle-256-x4.gguf
diff -r "$root/fixtures/models/needle-256-x4" needle-256-x4
[ "$before" = "$(sha256sum needle-256-x4.gguf)" ]
printf '\nThe demo patched a real model, checked it, and restored it byte for byte.\n'
