#!/usr/bin/env python3
"""Builds the Python wheel with the program inside: packaging/wheel.py [FOLDER]. The same program gives the same bytes.

FOLDER is where it goes (default: .build/packages). The environment variable LRPATCH names the program (default:
.build/release/lrpatch). The wheel contains the shared libraries that not every Linux has, and is tagged for the C library
that the program and the libraries need. Needs binutils, patchelf, and Debian's copyright files of the libraries.
"""

import base64
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# The libraries in use that PEP 600 allows a wheel to expect on every Linux.
EVERYWHERE = re.compile(
    r"linux-vdso|ld-linux|lib(c|m|dl|rt|pthread|util|resolv|nsl|gcc_s|stdc\+\+)\.so"
)
# The last number of GLIBCXX_3.4.N to the minor version of the first manylinux glibc with that libstdc++.
GLIBC_OF_LIBSTDCXX = {28: 31, 29: 34, 30: 35, 31: 38, 32: 38, 33: 39}

LICENSES = (
    "Apache-2.0 AND BSD-3-Clause AND ISC AND MIT AND OpenSSL AND Unicode-3.0 AND LGPL-2.1-or-later"
    " AND GPL-3.0-or-later WITH GCC-exception-3.1"
)
METADATA = """\
Metadata-Version: 2.4
Name: lrpatch
Version: {version}
Summary: Puts LongRoPE factors into language models on disk, so that every runtime uses them
License-Expression: {licenses}
{license_files}
Keywords: longrope,gguf,safetensors,rope,context,llm
Classifier: Environment :: Console
Classifier: Operating System :: POSIX :: Linux
Classifier: Topic :: Scientific/Engineering :: Artificial Intelligence
Requires-Python: >=3.8
Description-Content-Type: text/markdown

{readme}"""


def output(*command, **options):
    return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE, **options).stdout


def carried_libraries(program):
    """The shared libraries that the program loads and that not every Linux has: names to paths."""
    found = {}
    for name, path in re.findall(r"^\s*(\S+) => (.+?)(?: \(0x\w+\))?$", output("ldd", program), re.MULTILINE):
        if EVERYWHERE.match(name):
            continue
        if path == "not found":
            sys.exit(f"error: {name} is not found; install what the build needs with make setup")
        if re.match(r"lib(swift|_?Foundation)", name):
            sys.exit(f"error: {program} needs {name}; build it with --static-swift-stdlib")
        found[name] = Path(path).resolve()
    return found


def minor_glibc(files):
    """The least N so that manylinux_2_N has everything that the files need."""
    needed = [5]
    for file in files:
        references = output("objdump", "-p", file).partition("Version References:")[2]
        needed += map(int, re.findall(r"\bGLIBC_2\.(\d+)", references))
        needed += [36] * ("GLIBC_ABI_DT_RELR" in references)
        needed += map(minor_glibc_with, map(int, re.findall(r"\bGLIBCXX_3\.4\.(\d+)", references)))
    return max(needed)


def minor_glibc_with(libstdcxx):
    if libstdcxx < min(GLIBC_OF_LIBSTDCXX):
        return 5
    if libstdcxx not in GLIBC_OF_LIBSTDCXX:
        sys.exit(f"error: {__file__} does not know which manylinux has GLIBCXX_3.4.{libstdcxx}")
    return GLIBC_OF_LIBSTDCXX[libstdcxx]


def debian_copyright(library):
    """The name and the copyright file of a library's Debian package."""
    listed = output("dpkg", "-S", library)
    package = listed.partition(":")[0]
    return package, Path("/usr/share/doc", package, "copyright")


def set_search_path(file, path):
    """Sets RPATH, not RUNPATH, so that the wheel's libraries take precedence over those that the environment names."""
    file.chmod(0o755)
    output("patchelf", "--force-rpath", "--set-rpath", path, file)


def stage_program(program, folder):
    """The files that `make install` installs, without the documents: paths in the wheel's data to paths on disk."""
    environment = {**os.environ, "LRPATCH": str(program), "DESTDIR": str(folder), "PREFIX": "/prefix"}
    output(ROOT / "scripts/install.sh", env=environment)
    prefix = folder / "prefix"
    shutil.rmtree(prefix / "share/doc")
    return {
        ("scripts/" + path.name if path.parent.name == "bin" else "data/" + str(path.relative_to(prefix))): path
        for path in prefix.rglob("*") if path.is_file()
    }


def license_files(libraries):
    """The licenses of lrpatch, of what is linked into it, and of the libraries: names in the wheel to paths."""
    files = {"LICENSE": ROOT / "LICENSE", "copyright": ROOT / "packaging/copyright"}
    for library in libraries.values():
        package, path = debian_copyright(library)
        files[f"{package}.copyright"] = path
    for name in ["GPL-3", "LGPL-2.1"]:
        files[name] = Path("/usr/share/common-licenses", name)
    return files


def write_wheel(path, files, version, date):
    """Writes a sorted zip of the files with its record, without a trace of when and where it was made."""
    record = f"lrpatch-{version}.dist-info/RECORD"
    lines = []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as wheel:

        def add(name, data):
            entry = zipfile.ZipInfo(name, date_time=date)
            entry.create_system = 3
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o100755 if ".data/scripts/" in name else 0o100644) << 16
            wheel.writestr(entry, data)

        for name in sorted(files, key=lambda name: (".dist-info/" in name, name)):
            digest = base64.urlsafe_b64encode(hashlib.sha256(files[name]).digest()).decode().rstrip("=")
            lines.append(f"{name},sha256={digest},{len(files[name])}\n")
            add(name, files[name])
        add(record, "".join(lines) + f"{record},,\n")
    output("advzip", "--recompress", "-2", "--quiet", path)  # The same entries, in 5 % fewer bytes.


def main():
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / ".build/packages")
    program = Path(os.environ.get("LRPATCH") or ROOT / ".build/release/lrpatch").resolve()
    if not program.is_file():
        sys.exit(f"error: there is no {program}; run make build first")
    for tool in ["patchelf", "objdump", "strip", "dpkg", "advzip"]:
        if not shutil.which(tool):
            sys.exit(f"error: {tool} is needed; on Debian: apt-get install patchelf binutils advancecomp")
    version = output(program, "--version").strip()
    seconds = int(output(ROOT / "packaging/source-date.sh", version))
    libraries = carried_libraries(program)
    licenses = license_files(libraries)

    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        staged = stage_program(program, work)
        output("strip", "--strip-all", staged["scripts/lrpatch"])
        set_search_path(staged["scripts/lrpatch"], "$ORIGIN/../lib/lrpatch")
        for name, library in libraries.items():
            staged[f"data/lib/lrpatch/{name}"] = Path(shutil.copyfile(library, work / name))
            set_search_path(work / name, "$ORIGIN")
        binaries = [staged["scripts/lrpatch"]] + [work / name for name in libraries]
        tag = f"py3-none-manylinux_2_{minor_glibc(binaries)}_{platform.machine()}"
        files = {f"lrpatch-{version}.data/{name}": path.read_bytes() for name, path in staged.items()}

    info = f"lrpatch-{version}.dist-info"
    files |= {f"lrpatch/{path.name}": path.read_bytes() for path in (ROOT / "packaging/python/lrpatch").glob("*.py")}
    files |= {f"{info}/licenses/{name}": path.read_bytes() for name, path in licenses.items()}
    files[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\nGenerator: lrpatch\nRoot-Is-Purelib: false\nTag: {tag}\n".encode()
    files[f"{info}/METADATA"] = METADATA.format(
        version=version, licenses=LICENSES, readme=(ROOT / "README.md").read_text(encoding="utf-8"),
        license_files="\n".join(f"License-File: {name}" for name in sorted(licenses))).encode()
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / f"lrpatch-{version}-{tag}.whl"
    write_wheel(wheel, files, version, time.gmtime(seconds)[:6])
    print(wheel)


if __name__ == "__main__":
    main()
