#!/usr/bin/env bash
# Installs missing Debian packages that the build needs, by apt, if root or sudo is available. It reports a missing Swift
# toolchain but does not install it.
#
#   scripts/setup.sh [PACKAGE...]        packages in addition to those of the build
set -euo pipefail

packages=(libopenblas-dev libzstd-dev libjson-c-dev pkg-config "$@")

missing_packages() {
  local package
  for package in "${packages[@]}"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || echo "$package"
  done
}

require_swift() {
  local version
  if ! command -v swift >/dev/null; then
    echo "error: Swift 6.2 or newer is needed; see https://www.swift.org/install/linux/" >&2
    exit 1
  fi
  version=$(swift --version 2>&1 | grep -oE 'Swift version [0-9]+\.[0-9]+' | head -n 1 | grep -oE '[0-9]+\.[0-9]+')
  if [ "$(printf '%s\n6.2\n' "$version" | sort -V | head -n 1)" != 6.2 ]; then
    echo "error: Swift 6.2 or newer is needed, found $version; see https://www.swift.org/install/linux/" >&2
    exit 1
  fi
}

install_packages() {
  local missing=("$@") prefix=()
  if [ "$(id -u)" != 0 ]; then
    if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
      prefix=(sudo)
    else
      echo "error: packages are missing; run: sudo apt-get install -y ${missing[*]}" >&2
      exit 1
    fi
  fi
  "${prefix[@]}" apt-get update -qq
  DEBIAN_FRONTEND=noninteractive "${prefix[@]}" apt-get install -y -qq "${missing[@]}" >/dev/null
}

require_swift
if ! command -v dpkg-query >/dev/null; then
  echo "note: not a Debian system; the build needs the equivalents of: ${packages[*]}" >&2
  exit 0
fi
mapfile -t missing < <(missing_packages)
if [ "${#missing[@]}" -gt 0 ]; then
  echo "installing ${missing[*]}"
  install_packages "${missing[@]}"
fi
