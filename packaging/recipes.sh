#!/usr/bin/env bash
# Fills the recipes for conda, Homebrew and Nix: packaging/recipes.sh FOLDER VERSION ARCHIVE URL
#
# ARCHIVE is the release's archive, URL the folder from which it will be downloaded.
set -euo pipefail
[ $# = 4 ] || { sed -n '2,4s/^# \{0,1\}//p' "$0" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
folder=$1 version=$2 archive=$3 url=${4%/}
hash=$(sha256sum "$archive" | cut -d ' ' -f 1)
mkdir -p "$folder"
for template in "$here"/recipes/*; do
  sed -e "s|@VERSION@|$version|" -e "s|@URL@|$url/${archive##*/}|" -e "s|@SHA256@|$hash|" -e "s|@HOME@|$url|" \
    "$template" > "$folder/${template##*/}"
done
