#!/usr/bin/env bash
# Builds the Debian package: packaging/deb.sh [FOLDER]. The same program gives the same bytes.
#
# FOLDER is where it goes (default: .build/packages), LRPATCH the program (default: .build/release/lrpatch), DEBFULLNAME
# and DEBEMAIL the packager. The package's dependencies follow from the libraries that are installed here.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
LRPATCH=$(realpath -m "${LRPATCH:-$root/.build/release/lrpatch}")
mkdir -p "${1:-$root/.build/packages}"
out=$(cd "${1:-$root/.build/packages}" && pwd)
maintainer="${DEBFULLNAME:-lrpatch packagers} <${DEBEMAIL:-lrpatch@example.org}>"
umask 022

for tool in dpkg-shlibdeps objdump strip; do
  command -v "$tool" >/dev/null || { echo "error: $tool is needed; it is in dpkg-dev and binutils" >&2; exit 1; }
done
[ -x "$LRPATCH" ] || { echo "error: there is no $LRPATCH; run make build first" >&2; exit 1; }
if objdump -p "$LRPATCH" | grep -qE 'NEEDED +lib(swift|_?Foundation)'; then
  echo "error: $LRPATCH needs Swift's libraries; build it with --static-swift-stdlib" >&2
  exit 1
fi
version=$("$LRPATCH" --version)
architecture=$(dpkg --print-architecture)
SOURCE_DATE_EPOCH=$("$root/packaging/source-date.sh" "$version")
export LRPATCH SOURCE_DATE_EPOCH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
stage=$work/root doc=$work/root/usr/share/doc/lrpatch

# Prints the version's section of CHANGELOG.md, or the unreleased one, in Debian's format: a paragraph for each bullet.
changelog() {
  local section=Unreleased
  ! grep -qF "## [$version]" "$root/CHANGELOG.md" || section=$version
  printf 'lrpatch (%s) unstable; urgency=medium\n\n' "$version"
  awk -v section="## [$section]" '
    /^## / { inside = index($0, section) == 1 }
    !inside || /^#/ || /^$/ { next }
    sub(/^- /, "") { if (text) print text; text = $0; next }
    { sub(/^ +/, ""); text = text " " $0 }
    END { if (text) print text }' "$root/CHANGELOG.md" | while read -r paragraph; do
    fold -s -w 72 <<< "$paragraph" | sed -e 's/ *$//' -e '1s/^/  * /' -e '2,$s/^/    /'
  done
  printf '\n -- %s  %s\n' "$maintainer" "$(LC_ALL=C date -u -R -d "@$SOURCE_DATE_EPOCH")"
}

dependencies() {
  mkdir -p "$work/debian"
  printf 'Source: lrpatch\n\nPackage: lrpatch\nArchitecture: any\n' > "$work/debian/control"
  (cd "$work" && dpkg-shlibdeps -O "$stage/usr/bin/lrpatch") | sed -n 's/^shlibs:Depends=//p'
}

installed_size() { # in KiB, as dpkg-gencontrol counts it, the same on every file system
  find "$stage/usr" -printf '%y %s\n' | awk '{ n += $1 == "f" ? int(($2 + 1023) / 1024) : 1 } END { print n }'
}

control() {
  cat <<END
Package: lrpatch
Version: $version
Architecture: $architecture
Maintainer: $maintainer
Installed-Size: $(installed_size)
Depends: $depends
Section: science
Priority: optional
Description: puts LongRoPE factors into language models on disk
 LongRoPE and LongRoPE2 extend a model's context window by rescaling its rotary
 frequencies. lrpatch writes the factors into Hugging Face folders and GGUF
 files, where transformers, vLLM, SGLang, MLX-LM and llama.cpp read them. It
 shows what each runtime will use, finds mistakes in models that others made,
 and can undo its changes byte for byte. It also searches factors, verifies
 models on the CPU, and converts between the two formats.
END
}

DESTDIR=$stage PREFIX=/usr "$root/scripts/install.sh" >/dev/null
strip --strip-all --remove-section=.comment "$stage/usr/bin/lrpatch"
mv "$stage/usr/share/zsh/site-functions" "$stage/usr/share/zsh/vendor-completions"
sed -i '1{/^#!/d}' "$stage/usr/share/bash-completion/completions/lrpatch"
mkdir -p "$stage/usr/share/lintian/overrides"
echo "lrpatch: embedded-library libyaml *" > "$stage/usr/share/lintian/overrides/lrpatch" # a part of Yams
gzip -9n "$stage"/usr/share/man/man1/*.1 "$doc/CHANGELOG.md"
changelog | gzip -9n > "$doc/changelog.gz"
rm "$doc/LICENSE" # Debian has it in common-licenses, which the copyright file points to
mkdir "$stage/DEBIAN"
depends=$(dependencies)
control > "$stage/DEBIAN/control"
(cd "$stage" && find usr -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum) > "$stage/DEBIAN/md5sums"
find "$stage" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
dpkg-deb --root-owner-group -Zxz --build "$stage" "$out/lrpatch_${version}_$architecture.deb" >/dev/null
echo "$out/lrpatch_${version}_$architecture.deb"
