#!/usr/bin/env bash
# Tests what is installed: `make install`, the man pages, the completions in three shells, the Debian package in a clean
# root, the wheel in a fresh environment, the recipes with their linters. Prints a line for each check, and exits with 1 at
# the first that fails.
#
# LRPATCH names the program (default: .build/release/lrpatch), built with --static-swift-stdlib. As root, it installs missing
# tools. If a tool is still missing, its check is skipped, with a line that says so.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
LRPATCH=$(realpath -m "${LRPATCH:-$root/.build/release/lrpatch}")
export LRPATCH
work=$(mktemp -d)
trap 'rm -rf --one-file-system "$work"' EXIT
stage=$work/stage share=$work/stage/usr/local/share clean=$work/clean
model=$root/fixtures/models/needle-256-x4.gguf
passed=0 skipped=0

pass() { printf 'ok       %s\n' "$1"; passed=$((passed + 1)); }
skip() { printf 'skipped  %s\n' "$1"; skipped=$((skipped + 1)); }
fail() { printf 'FAILED   %s\n' "$1" >&2; shift; [ $# = 0 ] || printf '%s\n' "$@" >&2; exit 1; }

check() { # title, command ...: shows the command's output if it fails
  local title=$1 printed
  shift
  printed=$("$@" 2>&1) || fail "$title" "$printed"
  pass "$title"
}

tool() { # Debian package, command ...: whether the command succeeds; installs the package if necessary
  "${@:2}" >/dev/null 2>&1 && return
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
  echo "installing $1"
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$1"; } \
    >/dev/null 2>&1 && "${@:2}" >/dev/null 2>&1
}

bare() { env -i PATH=/usr/bin:/bin HOME="$work" LC_ALL=C.UTF-8 "$@"; } # no variable points to Swift

works() { # command ...: the program prints its version, inspects and verifies
  [ "$("$@" --version)" = "$("$LRPATCH" --version)" ] && "$@" inspect "$model" &&
    "$@" verify "$model" --lengths 128 --runtime paper --no-progress
}

needs_no_swift() { ! readelf -d "$1" | grep -E 'NEEDED.*lib(swift|_?Foundation|dispatch|Blocks)'; }

carries_no_path() { ! readelf -d "$1" | grep -E 'R(UN)?PATH.*/'; }

install_to_stage() { DESTDIR=$stage PREFIX=/usr/local "$root/scripts/install.sh"; }

uninstall_from_stage() {
  DESTDIR=$stage PREFIX=/usr/local "$root/scripts/install.sh" uninstall &&
    [ -z "$(find "$stage" -type f | tee /dev/stderr)" ]
}

release_check() {
  cp "$model" "$work/model.gguf"
  "$stage/usr/local/bin/lrpatch" apply "$root/fixtures/models/needle-256-x4.factors.json" "$work/model.gguf"
  bare PATH="$stage/usr/local/bin:/usr/bin:/bin" REPORT_FOLDER="$work/report" lrpatch-release-check \
    "$work/model.gguf" "$root/fixtures/models/needle-256-x4.factors.json" --lengths 128 --runtime llama.cpp &&
    [ -s "$work/report/report.html" ]
}

test_install() {
  check "make install" install_to_stage
  check "the installed program needs no Swift library" needs_no_swift "$stage/usr/local/bin/lrpatch"
  check "no search path is left in it" carries_no_path "$stage/usr/local/bin/lrpatch"
  check "it runs without Swift's variables" works bare "$stage/usr/local/bin/lrpatch"
  check "lrpatch-release-check runs" release_check
  check "make uninstall leaves no file" uninstall_from_stage
  install_to_stage >/dev/null
}

renders() { # page: it renders without a warning, and has every option and command that --help shows
  local rendered words word
  rendered=$(MANWIDTH=80 man -l --warnings=w "$1" 2>"$work/warnings" | col -b)
  [ ! -s "$work/warnings" ] || { cat "$work/warnings"; return 1; }
  [[ $1 != *-release-check.1 ]] || return 0
  IFS=- read -ra words <<< "$(basename "$1" .1)"
  for word in $("$LRPATCH" "${words[@]:1}" --help | sed -nE 's/^  (-[a-z], )?(--)?([a-z][a-z-]+).*/\2\3/p'); do
    grep -qwF -e "$word" <<< "$rendered" || { echo "$word is missing"; return 1; }
  done
}

same_manual() { "$root/scripts/manual.sh" "$work/man" && diff -r "$work/man" "$share/man/man1"; }

test_manual() {
  local page
  if ! tool man-db command -v man; then skip "man pages: there is no man"; return; fi
  for page in "$share"/man/man1/*.1; do
    check "man -l ${page##*/}" renders "$page"
  done
  check "made again, the man pages are the same" same_manual
  if tool mandoc command -v mandoc; then
    check "mandoc finds no error in them" mandoc -T lint -W warning "$share"/man/man1/*.1
  else
    skip "mandoc -T lint: there is no mandoc"
  fi
}

# Each takes a line to complete and the word that is expected at its end.

completed_by_bash() {
  # shellcheck disable=SC2016 # for the other shell
  bare bash --norc -c 'source "$1"
    COMP_WORDS=($2) COMP_LINE=$2 COMP_POINT=${#2}
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    "$(complete -p lrpatch | sed "s/.*-F \([^ ]*\).*/\1/")" lrpatch "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
    printf "%s\n" "${COMPREPLY[@]}"' - "$share/bash-completion/completions/lrpatch" "$1" | grep -x "$2 *"
}

# Presses the tab key in a terminal of its own.
completed_by_zsh() {
  bare TERM=dumb timeout 60 zsh -f -s -- "$share/zsh/site-functions" "$1" "$2" <<'END' | grep "${1% *} $2"
    zmodload zsh/zpty
    zpty terminal zsh -f -i
    zpty -w terminal "PS1=; fpath=($1 \$fpath); autoload -Uz compinit; compinit -D -u; print RE''ADY"
    zpty -r terminal printed '*READY*'
    zpty -w -n terminal "$2"$'\t'
    zpty -r terminal printed "*${2% *} $3*"
    print -r -- $printed
END
}

completed_by_fish() { # fish finds the completions of a program that is on the PATH
  bare PATH="$stage/usr/local/bin:/usr/bin:/bin" XDG_DATA_DIRS="$share:/usr/share" \
    fish -c "complete -C '$1'" | grep "^$2"
}

test_completions() {
  local shell
  for shell in bash zsh fish; do
    if ! tool "$shell" command -v "$shell"; then skip "completion in $shell: there is no $shell"; continue; fi
    check "$shell completes lrpatch ins to inspect" "completed_by_$shell" "lrpatch ins" inspect
    check "$shell completes the value of an option" "completed_by_$shell" "lrpatch verify --method slid" sliding
  done
}

build_twice() { # script, folder: both builds give the same bytes
  "$1" "$work/$2" && sleep 2 && "$1" "$work/$2-again" && diff -r "$work/$2" "$work/$2-again"
}

in_clean_root() { # command ...
  # shellcheck disable=SC2016 # for the other shell
  bare PATH=/usr/sbin:/usr/bin unshare --mount --fork \
    sh -c 'mount -t proc proc "$1/proc"; exec chroot "$@"' - "$clean" "$@"
}

make_clean_root() { # installs the running release, from apt's mirror
  local suite mirror
  suite=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
  # shellcheck disable=SC2016 # apt's own
  mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' "Codename: $suite" | head -n 1)
  debootstrap --variant=minbase "$suite" "$clean" "$mirror" && cp "$model" "$clean/"
}

install_dependencies() {
  local names
  names=$(dpkg-deb -f "$work"/packages/*.deb Depends | sed -e 's/([^)]*)//g' -e 's/|[^,]*//g' -e 's/,//g')
  # shellcheck disable=SC2086 # a list of names
  DEBIAN_FRONTEND=noninteractive chroot "$clean" apt-get install -y -qq --no-install-recommends $names
}

test_deb() {
  if ! tool dpkg-dev command -v dpkg-shlibdeps; then skip "Debian package: there is no dpkg-shlibdeps"; return; fi
  check "make deb, twice the same bytes" build_twice "$root/packaging/deb.sh" packages
  if tool lintian command -v lintian; then
    check "lintian finds no error" lintian --allow-root --fail-on error "$work"/packages/*.deb
  else
    skip "lintian: there is no lintian"
  fi
}

test_wheel() {
  if ! tool patchelf command -v patchelf || ! tool advancecomp command -v advzip ||
    ! tool python3-venv python3 -c 'import venv, ensurepip'; then
    skip "wheel: patchelf, advzip or Python's venv is missing"
    return
  fi
  check "make wheel, twice the same bytes" build_twice "$root/packaging/wheel.py" wheels
  check "a fresh environment" python3 -m venv "$work/venv"
  check "pip install" "$work/venv/bin/pip" install --no-index --no-deps "$work"/wheels/*.whl
  check "the program in it runs" works bare "$work/venv/bin/lrpatch"
  check "python -m lrpatch runs" works bare "$work/venv/bin/python" -m lrpatch
  check "it loads OpenBLAS, json-c and zstd from the wheel" loaded_from_the_wheel
}

# Reads the loader's messages while the program runs.
loaded_from_the_wheel() {
  local loaded name
  loaded=$(bare LD_DEBUG=libs "$work/venv/bin/lrpatch" --version 2>&1 | sed -n 's/.*calling init: //p')
  echo "$loaded"
  for name in openblas gfortran json-c zstd; do
    grep -qE "^$work/venv/(bin/\.\./)?lib/lrpatch/lib$name" <<< "$loaded" || return 1
  done
  ! grep -E '^/(usr/)?lib.*lib(openblas|gfortran|json-c|zstd)' <<< "$loaded"
}

# With what Homebrew's own style changes: double quotes, a slash between folder and name, and :x86_64.
homebrew_style() {
  printf '%s\n' 'AllCops: {SuggestExtensions: false}' 'Style/StringLiterals: {EnforcedStyle: double_quotes}' \
    'Layout/SpaceAroundOperators: {Enabled: false}' 'Naming/VariableNumber: {Enabled: false}' > "$work/rubocop.yml"
  rubocop --config "$work/rubocop.yml" "$1"
}

renders_for_conda() { # recipe: rattler-build reads and renders it
  python3 -m venv "$work/conda" && "$work/conda/bin/pip" install -q py-rattler-build==0.73.0 &&
    "$work/conda/bin/python" -c "import rattler_build, sys
assert rattler_build.Stage0Recipe.from_file(sys.argv[1]).render()" "$1"
}

test_recipes() {
  touch "$work/lrpatch-0.0.0-linux-x86_64.tar.xz"
  check "recipes are filled" "$root/packaging/recipes.sh" "$work/recipes" 0.0.0 "$work"/*.tar.xz https://example.org/lrpatch
  check "nothing in them is left to fill" eval "! grep -n '@[A-Z]' '$work'/recipes/*"
  if tool nix-bin command -v nix-instantiate; then
    check "Nix reads its recipe" nix-instantiate --parse "$work/recipes/lrpatch.nix"
  else
    skip "Nix: there is no nix-instantiate"
  fi
  if tool rubocop command -v rubocop; then
    check "rubocop finds nothing in Homebrew's" homebrew_style "$work/recipes/lrpatch.rb"
  else
    skip "Homebrew: there is no rubocop"
  fi
  if python3 -c 'import venv, ensurepip' 2>/dev/null; then
    check "rattler-build renders conda's" renders_for_conda "$work/recipes/recipe.yaml"
  else
    skip "conda: Python's venv is missing"
  fi
}

test_clean_root() {
  if [ "$(id -u)" != 0 ]; then skip "a clean root: not root"; return; fi
  if ! tool debootstrap command -v debootstrap; then skip "a clean root: there is no debootstrap"; return; fi
  check "a clean root by debootstrap" make_clean_root
  model=/${model##*/}
  if [ -d "$work/venv" ]; then
    mkdir "$clean/wheel"
    cp -r "$work/venv/bin" "$work/venv/lib" "$clean/wheel"
    check "the wheel's program runs there" works in_clean_root /wheel/bin/lrpatch
  fi
  check "the package's dependencies are in Debian" install_dependencies
  check "dpkg installs the package" dpkg --root="$clean" --install "$work"/packages/*.deb
  check "its program runs there" works in_clean_root /usr/bin/lrpatch
  check "dpkg removes it" dpkg --root="$clean" --purge lrpatch
}

[ -x "$LRPATCH" ] || fail "there is no $LRPATCH; run make build first"
needs_no_swift "$LRPATCH" >/dev/null || fail "$LRPATCH needs Swift's libraries; build it with --static-swift-stdlib"
test_install
test_manual
test_completions
test_deb
test_wheel
test_recipes
test_clean_root
echo "$passed passed, 0 failed, $skipped skipped"
