#!/usr/bin/env bash
# Installs the program with its man pages, completions and documents, or removes them: scripts/install.sh [uninstall]
#
# PREFIX is where it will be used (default: /usr/local), DESTDIR a folder put in front of that, LRPATCH the program
# (default: .build/release/lrpatch). scripts/release-check.sh becomes the command lrpatch-release-check.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
lrpatch=${LRPATCH:-$root/.build/release/lrpatch}
to=${DESTDIR:-}${PREFIX:-/usr/local}
bash_file=share/bash-completion/completions/lrpatch
zsh_file=share/zsh/site-functions/_lrpatch
fish_file=share/fish/vendor_completions.d/lrpatch.fish
umask 022

put() { install -D -m "$1" "$2" "$to/$3"; } # mode, file, place below the prefix

put_completions() { # shell, place
  "$lrpatch" --generate-completion-script "$1" > "$work/completions"
  put 644 "$work/completions" "$2"
}

install_all() {
  [ -x "$lrpatch" ] || { echo "error: there is no $lrpatch; run make build first" >&2; exit 1; }
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  "$root/scripts/manual.sh" "$work/man"
  sed 's|scripts/release-check\.sh|lrpatch-release-check|' "$root/scripts/release-check.sh" > "$work/release-check"

  put 755 "$lrpatch" bin/lrpatch
  put 755 "$work/release-check" bin/lrpatch-release-check
  for page in "$work"/man/*.1; do put 644 "$page" "share/man/man1/${page##*/}"; done
  put_completions bash "$bash_file"
  put_completions zsh "$zsh_file"
  put_completions fish "$fish_file"
  for file in README.md CHANGELOG.md LICENSE packaging/copyright; do
    put 644 "$root/$file" "share/doc/lrpatch/${file##*/}"
  done
  for folder in examples guides specs; do
    [ -d "$root/$folder" ] || continue
    (cd "$root" && find "$folder" -name '.?*' -prune -o -type f -print) | while read -r file; do
      put 644 "$root/$file" "share/doc/lrpatch/$file"
    done
  done
  echo "lrpatch is installed in $to"
}

uninstall_all() {
  rm -f "$to"/bin/lrpatch{,-release-check} "$to"/share/man/man1/lrpatch{,-*}.1 \
    "$to/$bash_file" "$to/$zsh_file" "$to/$fish_file"
  rm -rf "$to/share/doc/lrpatch"
}

case ${1:-} in
  "") install_all ;;
  uninstall) uninstall_all ;;
  *) sed -n '2,5s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
