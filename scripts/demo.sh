#!/usr/bin/env bash
# Patches the fixture model, as a folder and as a GGUF file, shows what every runtime would use and whether the model
# finds passkeys before and after, and reverts it. Works on copies in a temporary folder.
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
measure=(--lengths "256,512,1024" --perplexity "$root/fixtures/text/moby-dick-opening.txt" --runtime paper --no-progress -q)
check() { # model, runtime, more options
  local model=$1 runtime=$2
  shift 2
  printf '$ lrpatch verify %s --runtime %s %s\n' "$model" "$runtime" "$*"
  "$lrpatch" verify "$model" "${measure[@]}" --runtime "$runtime" "$@" | tee "$work/last.txt"
}

step "The unpatched model: weights trained for 1024 tokens, a config that says 256"
show inspect needle-256-x4
step "It finds no passkey beyond 256 tokens"
if check needle-256-x4 hf -o before.json; then echo "the unpatched model passed" >&2; exit 1; fi
cp last.txt before.txt
step "Patch the folder in place"
show apply "$factors" needle-256-x4
show inspect needle-256-x4
show lint needle-256-x4
show apply "$factors" needle-256-x4 --check
step "Now it finds every passkey, and short inputs lose nothing"
check needle-256-x4 hf --baseline -o after.json
cp last.txt after.txt
step "Both measurements in one HTML file"
show report after.json --before before.json --html "$root/.build/demo-report.html" -q
echo "open .build/demo-report.html"
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
step "A model that was never trained beyond 256 tokens, as it is and with YaRN's factors"
cp -r "$root/fixtures/models/needle-256" "$root/fixtures/factors/needle-256-yarn.json" .
check needle-256 hf --no-gates
cp last.txt untrained-before.txt
check needle-256 hf --no-gates --factors needle-256-yarn.json
cp last.txt untrained-after.txt

row() { # title, file: prints the paper's row of the two tables, whose columns are two or more spaces apart
  awk -F '  +' -v title="$1" '
    function share(cell) { sub(/ of .*/, "", cell); return cell }
    function number(cell) { sub(/ .*/, "", cell); return sprintf("%.1f", cell) }
    /^passkeys found/ { table = "passkeys" } /^perplexity \(/ { table = "perplexity" } /^$/ { table = "" }
    $2 ~ /^paper/ && table == "passkeys" { found = share($3) " / " share($4) " / " share($5) }
    $2 ~ /^paper/ && table == "perplexity" {
      printf "%-34s  %-24s  %s / %s / %s\n", title, found, number($3), number($4), number($5)
      rows++
    }
    END { exit rows != 1 }' "$2"
}
step "Before and after"
printf '%-34s  %-24s  %s\n' "at 256 / 512 / 1024 tokens" "passkeys found" "perplexity"
row "needle-256-x4, unpatched" before.txt
row "needle-256-x4, patched" after.txt
row "needle-256, no factors" untrained-before.txt
row "needle-256, YaRN's factors" untrained-after.txt
printf '\nThe demo patched a real model, checked it, and restored it byte for byte.\n'
