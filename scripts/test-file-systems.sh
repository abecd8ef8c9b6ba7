#!/usr/bin/env bash
# Runs the tests that change files on each kind of file system: XFS (inserts blocks and clones), btrfs (clones only), tmpfs
# (neither). Needs root, loop devices and the mkfs programs. Says what it leaves out.
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
exit $status
