#!/usr/bin/env bash
# Runs the tests that change files on each kind of file system: XFS (inserts blocks and clones), btrfs (clones only), tmpfs
# (neither); and what a full disk and a read-only one do. Needs root, loop devices and the mkfs programs. Says what it leaves out.
set -euo pipefail
cd "$(dirname "$0")/.."
[ "$(id -u)" = 0 ] || { echo "not root: other file systems are not tested"; exit 0; }
work=$(mktemp -d)
trap 'umount "$work"/*/ 2>/dev/null || true; rm -rf "$work"' EXIT
status=0

run_on() { # name
  echo "== $1"
  TMPDIR=$work/$1 scripts/test.sh --filter 'FaultInjection|GGUFPatch|FolderPatch|HostileFiles|CommandTests.CommandTests' || status=1
}

for name in xfs btrfs; do
  mkdir "$work/$name"
  truncate -s 400M "$work/$name.img"
  if command -v "mkfs.$name" >/dev/null && "mkfs.$name" -q "$work/$name.img" && mount -o loop "$work/$name.img" "$work/$name"; then
    run_on "$name"
  else
    echo "no $name here: not tested"
  fi
done
mkdir "$work/tmpfs"
if mount -t tmpfs -o size=400M none "$work/tmpfs"; then run_on tmpfs; fi

# A full disk and a read-only one: exit 5, and every byte as it was.
lrpatch=$PWD/.build/release/lrpatch factors=$PWD/fixtures/models/needle-256-x4.factors.json
refuses() { # what, command ...
  local code=0 before
  before=$(cd "$work/small" && find . -type f -exec sha256sum {} + | sort)
  "${@:2}" >/dev/null 2>"$work/errors" || code=$?
  if [ "$code" = 5 ] && [ "$before" = "$(cd "$work/small" && find . -type f -exec sha256sum {} + | sort)" ]; then
    echo "$1: refused, nothing changed: $(head -1 "$work/errors")"
  else
    echo "$1: exit $code: $(head -1 "$work/errors")" >&2
    status=1
  fi
}
mkdir "$work/small"
if mount -t tmpfs -o size=8M none "$work/small"; then
  echo "== a full disk and a read-only one"
  cp -r fixtures/models/needle-256-x4 fixtures/models/needle-256-x4.gguf "$work/small"
  dd if=/dev/zero of="$work/small/filler" bs=1M 2>/dev/null || true
  for model in needle-256-x4 needle-256-x4.gguf; do
    refuses "apply to $model, full" "$lrpatch" apply "$factors" "$work/small/$model"
    refuses "convert $model, full" "$lrpatch" convert "$work/small/$model" -o "$work/small/new.gguf" --type f32 --no-progress
    refuses "provenance of $model, full" "$lrpatch" provenance "$work/small/$model"
  done
  rm "$work/small/filler"
  mount -o remount,ro "$work/small"
  for model in needle-256-x4 needle-256-x4.gguf; do
    refuses "apply to $model, read-only" "$lrpatch" apply "$factors" "$work/small/$model"
    refuses "provenance of $model, read-only" "$lrpatch" provenance "$work/small/$model"
    "$lrpatch" inspect "$work/small/$model" -q >/dev/null || { echo "inspect $model, read-only: failed" >&2; status=1; }
  done
fi
exit $status
