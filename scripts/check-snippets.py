#!/usr/bin/env python3
"""Type-checks every block of Swift code in the DocC pages and the README against the built modules.

    scripts/check-snippets.py        after `make build`

A block is a whole program: top-level code in a file of its own.
"""

import glob
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILT = ROOT / ".build/release"
MAPS = [
    *(f"{BUILT}/C{name}.build/module.modulemap" for name in ("Linux", "Kernels", "Texts")),
    *(f"{ROOT}/Sources/C{name}/module.modulemap" for name in ("Zstd", "JSONC", "BLAS")),
    f"{ROOT}/.build/checkouts/Yams/Sources/CYaml/include/module.modulemap",
]
STRICT = ["-swift-version", "6", "-enable-upcoming-feature", "MemberImportVisibility"]


def blocks(path):
    """The line of each block and its code."""
    text = path.read_text(encoding="utf-8")
    for match in re.finditer(r"^```swift\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        yield text[: match.start()].count("\n") + 2, match.group(1)


def check(code):
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "main.swift"
        file.write_text(code, encoding="utf-8")
        maps = [part for path in MAPS for part in ("-Xcc", f"-fmodule-map-file={path}")]
        command = ["swiftc", "-typecheck", *STRICT, "-I", f"{BUILT}/Modules", *maps, str(file)]
        return subprocess.run(command, capture_output=True, text=True)


def main():
    pages = [Path(path) for path in sorted(glob.glob(f"{ROOT}/Sources/*/*.docc/*.md"))] + [ROOT / "README.md"]
    failed, checked = 0, 0
    for page in pages:
        for line, code in blocks(page):
            checked += 1
            result = check(code)
            if result.returncode:
                failed += 1
                print(f"{page.relative_to(ROOT)}, line {line}: does not compile", file=sys.stderr)
                print(result.stderr, file=sys.stderr)
    if not checked:
        sys.exit("no code was found: this script looks in the wrong place")
    print(f"{checked - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
