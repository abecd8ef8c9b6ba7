#!/usr/bin/env bash
# Prints the date of the sources, in seconds, so that the same sources give packages with the same bytes. It is
# SOURCE_DATE_EPOCH, else the version's date in CHANGELOG.md, else the last commit's, else that of CHANGELOG.md itself.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
version=${1:?usage: packaging/source-date.sh VERSION}
day=$(sed -n "s/^## \[${version//./\\.}\] - \([0-9-]*\)\$/\1/p" "$root/CHANGELOG.md")

if [ -n "${SOURCE_DATE_EPOCH:-}" ]; then
  echo "$SOURCE_DATE_EPOCH"
elif [ -n "$day" ]; then
  date -u -d "$day" +%s
else
  git -C "$root" log -1 --format=%ct 2>/dev/null || date -r "$root/CHANGELOG.md" +%s
fi
