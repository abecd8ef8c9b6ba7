#!/usr/bin/env bash
# Patches the fixture model, as a folder and as a GGUF file, shows what every runtime would use and whether it finds
# passkeys, before and after, and reverts it. Works on copies in a temporary folder.
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
check() { show verify "$1" --lengths 256,512,1024 --runtime paper --runtime "$2" -q; }

step "The model as it comes: weights trained for 1024 tokens, a config that says 256"
show inspect needle-256-x4
step "It finds no passkey beyond 256 tokens"
if check needle-256-x4 hf; then echo "the unpatched model passed" >&2; exit 1; fi
step "Patch the folder in place"
show apply "$factors" needle-256-x4
show inspect needle-256-x4
show lint needle-256-x4
show apply "$factors" needle-256-x4 --check
step "Now it finds every one"
check needle-256-x4 hf
step "Patch the GGUF file in place"
before=$(sha256sum needle-256-x4.gguf)
show apply "$factors" needle-256-x4.gguf
show inspect needle-256-x4.gguf
show lint needle-256-x4.gguf
check needle-256-x4.gguf llama.cpp
step "Revert: every byte comes back"
show revert needle-256-x4
show revert needle-256-x4.gguf
diff -r "$root/fixtures/models/needle-256-x4" needle-256-x4
[ "$before" = "$(sha256sum needle-256-x4.gguf)" ]
printf '\nThe demo patched a real model, checked it, and restored it byte for byte.\n'
