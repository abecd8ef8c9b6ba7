#!/usr/bin/env bash
# Measures an in-place patch of an 8 GiB GGUF file: time, bytes written (the process's own counter) and peak memory,
# with and without rope_freqs.weight, and as a split model. On a file system that can insert blocks it fails above
# 0.2 s, 1 MB or 64 MiB + vocabulary; on any other it says so and measures nothing. BENCH_FOLDER chooses the file
# system, GIB the size.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
lrpatch=$root/.build/release/lrpatch
work=$(mktemp -d "${BENCH_FOLDER:-$root/.build}/in-place.XXXXXX")
trap 'rm -rf "$work"' EXIT
factors=$root/fixtures/factors/longrope2-llama3-8b-128k.json
gib=${GIB:-8}
status=0

can_insert() {
  head -c 8192 /dev/zero >"$work/probe"
  fallocate --insert-range --offset 4096 --length 4096 "$work/probe" 2>/dev/null
}

measure() { # label, command...
  local label=$1 median=() written memory line
  shift
  for _ in 1 2 3 4 5; do
    "$lrpatch" apply "$factors" "$model" -v >/dev/null 2>"$work/log"
    line=$(tail -n 1 "$work/log")
    median+=("$(awk '{print $1 / 1000}' <<<"$line")")
    memory=$(sed -E 's/.*peak memory ([0-9]+) KiB.*/\1/' <<<"$line")
    written=$(sed -E 's/.* ([0-9]+) bytes written.*/\1/' <<<"$line")
    "$lrpatch" revert "$model" -q
  done
  seconds=$(printf '%s\n' "${median[@]}" | sort -g | sed -n 3p)
  printf '%-28s %9.4f s  %8d bytes written  %6d KiB peak\n' "$label" "$seconds" "$written" "$memory"
  awk -v s="$seconds" 'BEGIN { exit !(s < 0.2) }' && [ "$written" -lt 1000000 ] && [ "$memory" -lt 81920 ] || {
    echo "  over the limit of 0.2 s, 1000000 bytes or 81920 KiB" >&2
    status=1
  }
}

echo "GGUF of $gib GiB (sparse), 300 tensors, vocabulary of 150000; median of 5"
if ! can_insert; then
  echo "this file system cannot insert blocks: a patch copies or clones the file instead; nothing measured"
  exit 0
fi
for variant in plain rope-freqs split; do
  case $variant in
    plain) model=$work/m.gguf; "$root/scripts/make-large-gguf.py" "$model" --gib "$gib" ;;
    rope-freqs) model=$work/m.gguf; "$root/scripts/make-large-gguf.py" "$model" --gib "$gib" --rope-freqs ;;
    split) model=$work/m-00001-of-00003.gguf; "$root/scripts/make-large-gguf.py" "$work/m" --gib "$gib" --shards 3 ;;
  esac
  measure "$variant"
  rm -f "$work"/m*.gguf
done

# On a smaller file: after revert no byte differs.
"$root/scripts/make-large-gguf.py" "$work/small.gguf" --gib 0.05 --rope-freqs
before=$(sha256sum <"$work/small.gguf")
"$lrpatch" apply "$factors" "$work/small.gguf" -q
"$lrpatch" revert "$work/small.gguf" -q
[ "$before" = "$(sha256sum <"$work/small.gguf")" ] && echo "revert gives the same SHA-256 back"
exit $status
