#!/usr/bin/env bash
# Makes a release from a tag: packaging/release.sh TAG [FOLDER]
#
# Builds the tag's sources twice, in two folders, and goes on only if both give the same program. FOLDER (default:
# .build/releases/TAG) gets an archive, the Debian package and the wheel, a bill of materials, sums, and a statement to sign;
# also Package.resolved, with which the sources give the same program again when newer packages are out.
# RELEASE_URL is the folder from which they will be downloaded; with it, there are recipes for conda, Homebrew and Nix too.
# Nothing is published, and nothing is signed. Needs what make deb and make wheel need.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
tag=${1:?usage: packaging/release.sh TAG [FOLDER]}
commit=$(git -C "$root" rev-parse --verify --quiet "refs/tags/$tag^{commit}") || { echo "error: there is no tag $tag" >&2; exit 1; }
folder=$(realpath -m "${2:-$root/.build/releases/$tag}")
[ ! -e "$folder" ] || { echo "error: $folder already exists; remove it, or name another folder" >&2; exit 4; }
SOURCE_DATE_EPOCH=$(git -C "$root" log -1 --format=%ct "$commit")
export SOURCE_DATE_EPOCH
umask 022
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
first=$work/first second=$work/second/in-a-folder-with-a-longer-name

build() { # folder [Package.resolved]: builds the tag's sources there, and strips the program
  mkdir -p "$1"
  git -C "$root" archive "$commit" | tar -x -C "$1"
  [ -z "${2:-}" ] || cp "$2" "$1/"
  "$1/scripts/build.sh" >&2
  strip --strip-all -o "$1/lrpatch" "$1/.build/release/lrpatch"
}

archive() { # the installed files, with names and times that the sources determine
  local name
  name=lrpatch-$version-linux-$(uname -m)
  DESTDIR=$work/installed PREFIX=/$name "$first/scripts/install.sh" >/dev/null
  tar -c --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" -C "$work/installed" "$name" |
    xz -6 -T1 > "$folder/$name.tar.xz"
}

build "$first"
build "$second" "$first/Package.resolved"
cmp "$first/lrpatch" "$second/lrpatch" || { echo "error: the two builds differ" >&2; exit 1; }
export LRPATCH=$first/lrpatch
version=$("$LRPATCH" --version)
[ "$tag" = "v$version" ] || { echo "error: the program says that it is $version, and the tag is $tag" >&2; exit 1; }
mkdir -p "$folder"
cp "$first/Package.resolved" "$folder/"
archive
"$first/packaging/deb.sh" "$folder"
"$first/packaging/wheel.py" "$folder"
[ -z "${RELEASE_URL:-}" ] || "$first/packaging/recipes.sh" "$folder/recipes" "$version" "$folder"/*.tar.xz "$RELEASE_URL"
# With symbols, from which vouch.py learns what is linked in.
LRPATCH=$first/.build/release/lrpatch PYTHONDONTWRITEBYTECODE=1 python3 "$first/packaging/vouch.py" "$folder" "$commit"
(cd "$folder" && sha256sum -c --quiet SHA256SUMS && ls -l)
