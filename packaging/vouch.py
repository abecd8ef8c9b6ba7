#!/usr/bin/env python3
"""Writes what vouches for a release: packaging/vouch.py FOLDER COMMIT. Nothing in it depends on the time.

FOLDER holds the files of the release; the environment variable LRPATCH names the program (default:
.build/release/lrpatch). It must not be stripped: its symbols show which packages are linked in. FOLDER gets
  lrpatch-VERSION.cdx.json   a CycloneDX bill of materials of the program: what is linked into it, and what it loads
  SHA256SUMS                 for sha256sum -c
  release.intoto.json        an in-toto statement with the predicate of SLSA's provenance, ready to be signed
COMMIT is what was built. Packages and their commits are those of Package.resolved, shared libraries those that are
installed here.
"""

import hashlib
import json
import os
import re
import sys
from pathlib import Path

from wheel import ROOT, carried_libraries, output

# Swift's own libraries that are linked in: names in packaging/copyright.
RUNTIME = ["swift", "swift-corelibs-foundation", "swift-foundation", "swift-foundation-icu", "swift-collections", "swift-corelibs-libdispatch"]
SPDX = {"Apache-2.0": "Apache-2.0", "Apache-2.0 with Swift exception": "Apache-2.0 WITH Swift-exception", "Expat": "MIT", "Unicode-3.0": "Unicode-3.0"}


def licenses():
    """The SPDX expression of each name in packaging/copyright."""
    found = {}
    text = (ROOT / "packaging/copyright").read_text(encoding="utf-8")
    for stanza in text.split("\n\n"):
        fields = dict(re.findall(r"^(\w+): ((?:.|\n )*)$", stanza, re.MULTILINE))
        for name in fields.get("Files", "").split():
            found[name.lower()] = SPDX.get(fields.get("License"))
    return found


def pins():
    """The packages of Package.resolved: identity, location, version, commit."""
    resolved = json.loads((ROOT / "Package.resolved").read_text(encoding="utf-8"))
    return [(pin["identity"], pin["location"].removesuffix(".git"), pin["state"]["version"], pin["state"]["revision"]) for pin in resolved["pins"]]


def linked(program):
    """The pinned packages whose code is in the program: others are needed by products that are not used."""
    symbols = output("nm", "--defined-only", program)
    # Names of modules as they begin mangled symbols. A new package needs a line here.
    modules = {"swift-argument-parser": "14ArgumentParser", "swift-crypto": "6Crypto", "swift-asn1": "9SwiftASN1", "yams": "4Yams"}
    return [pin for pin in pins() if f"$s{modules[pin[0]]}" in symbols]


def swift_version():
    return re.search(r"Swift version (\S+)", output("swift", "--version"))[1]


def library(name, path):
    """A shared library as a component: its Debian package."""
    package = output("dpkg", "-S", path).partition(":")[0]
    version, architecture = output("dpkg-query", "-W", "-f", "${Version} ${Architecture}", package).split()
    purl = f"pkg:deb/debian/{package}@{version.replace('+', '%2B').replace(':', '%3A')}?arch={architecture}"
    return {
        "type": "library", "bom-ref": purl, "name": package, "version": version, "purl": purl,
        "properties": [{"name": "lrpatch:loaded-as", "value": name}],
    }  # fmt: skip


def components(program):
    known = licenses()
    for identity, location, version, _ in linked(program):
        purl = f"pkg:swift/{location.removeprefix('https://')}@{version}"
        yield {"type": "library", "bom-ref": purl, "name": identity, "version": version, "purl": purl, "licenses": [{"expression": known[identity]}]}
    for name in RUNTIME:
        reference = f"swift-runtime/{name}"
        yield {"type": "library", "bom-ref": reference, "name": name, "version": swift_version(), "licenses": [{"expression": known[name]}]}
    for name, path in sorted(carried_libraries(program).items()):
        yield library(name, path)


def bill(program, version):
    found = list(components(program))
    purl = f"pkg:generic/lrpatch@{version}"
    return {
        "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
        "metadata": {
            "component": {
                "type": "application", "bom-ref": purl, "name": "lrpatch", "version": version, "purl": purl,
                "licenses": [{"expression": "Apache-2.0"}],
                "hashes": [{"alg": "SHA-256", "content": digest(Path(program))}],
            }
        },
        "components": found,
        "dependencies": [{"ref": purl, "dependsOn": [component["bom-ref"] for component in found]}],
    }  # fmt: skip


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def statement(folder, names, version, commit):
    dependencies = [{"uri": f"git+{location}@{version}", "digest": {"gitCommit": revision}} for _, location, version, revision in pins()]
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": name, "digest": {"sha256": digest(folder / name)}} for name in names],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": "urn:lrpatch:packaging/release.sh",
                "externalParameters": {"tag": f"v{version}"},
                "internalParameters": {"swift": swift_version(), "system": system()},
                "resolvedDependencies": [{"name": "source", "digest": {"gitCommit": commit}}, *dependencies],
            },
            "runDetails": {"builder": {"id": "urn:lrpatch:packaging/release.sh"}},
        },
    }


def system():
    return re.search(r'^PRETTY_NAME="(.*)"', Path("/etc/os-release").read_text(encoding="utf-8"), re.MULTILINE)[1]


def write(path, document):
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    folder, commit = Path(sys.argv[1]), sys.argv[2]
    program = os.environ.get("LRPATCH") or str(ROOT / ".build/release/lrpatch")
    version = output(program, "--version").strip()
    write(folder / f"lrpatch-{version}.cdx.json", bill(program, version))
    listed = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    (folder / "SHA256SUMS").write_text("".join(f"{digest(folder / name)}  {name}\n" for name in listed), encoding="utf-8")
    write(folder / "release.intoto.json", statement(folder, listed, version, commit))


if __name__ == "__main__":
    main()
