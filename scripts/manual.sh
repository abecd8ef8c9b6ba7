#!/usr/bin/env bash
# Writes the man pages, one for each command, from the program's own description of itself: scripts/manual.sh FOLDER
#
# LRPATCH names the program (default: .build/release/lrpatch).
set -euo pipefail
[ $# = 1 ] || { sed -n '2,4s/^# \{0,1\}//p' "$0" >&2; exit 2; }
root=$(cd "$(dirname "$0")/.." && pwd)
lrpatch=${LRPATCH:-$root/.build/release/lrpatch}
version=$("$lrpatch" --version)
date=$(LC_ALL=C date -u -d "@$("$root/packaging/source-date.sh" "$version")" '+%B %-d, %Y')

mkdir -p "$1"
"$lrpatch" --experimental-dump-help | python3 "$root/packaging/manual.py" "$version" "$date" "$1"
sed -e "s/@VERSION@/$version/" -e "s/@DATE@/$date/" "$root/packaging/lrpatch-release-check.1" \
  > "$1/lrpatch-release-check.1"
