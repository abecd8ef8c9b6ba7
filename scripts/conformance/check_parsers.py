"""Compares what lrpatch accepts and refuses with other readers: gguf-py and llama.cpp's gguf.cpp for GGUF, the safetensors
library for safetensors. modelvet, a validator, is counted too.

The files are the fixtures, what fuzzing begins from and found (Tests/Fuzz), mutations of these, and the files that
llama.cpp's tests/test-gguf.cpp makes. Nothing may be accepted that all readers of the format refuse, nor refused that all
accept, except for the reasons below, which specs/gguf.md and specs/safetensors.md list.
"""

import ctypes
import json
import os
import re
import resource
import signal
import subprocess
import sys
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
from gguf import GGUFReader
from safetensors import safe_open

from common import FIXTURES, PEERS, REPOSITORY, WORK, Report

PROBE = os.environ.get("LRPATCH_PROBE", str(REPOSITORY / ".build/release/lrpatch-probe"))
LLAMA_LIBRARIES = Path(os.environ.get("LLAMA_CPP_LIBRARIES", PEERS / "llama.cpp/bin"))
LLAMA_SOURCE = Path(os.environ.get("LLAMA_CPP_SOURCE", PEERS / "llama.cpp-source"))
# A reader that takes longer refuses the file.
SECONDS = 5
MUTATIONS = int(os.environ.get("PARSER_MUTATIONS", "20"))

# What lrpatch refuses although all others accept: a part of its message, and the reason.
STRICTER = {
    "gguf": {
        "UTF-8": "a string value that is not UTF-8 could not be written again as text",
        "alignment": "an alignment above a mebibyte is refused",
        "at most 65": "a name of more than 65,535 bytes is refused",
    },
    "safetensors": {
        "begin": "a header must begin with {",
        "twice|duplicate": "readers take different ones of two equal names",
        "nested deeper": "a description may be nested 64 deep",
    },
}
# What lrpatch accepts although all others refuse: a part of their messages, and the reason.
LOOSER = {
    "gguf": {},
    "safetensors": {"unknown variant": "an unknown dtype is copied by its range"},
}


def probe(command: str, argument: str, question: dict) -> str:
    return subprocess.run([PROBE, command, argument], input=json.dumps(question), text=True, capture_output=True,
                          check=True).stdout


# ---- The readers. Each returns why it refuses a file, or an empty text.


def in_child(read):
    """A reader in a process of its own, since it may abort, or work for hours on a count that a file declares."""
    def guarded(path: Path) -> str:
        child = os.fork()
        if child == 0:
            for stream in (1, 2):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
            resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
            signal.alarm(SECONDS)
            try:
                os._exit(0 if read(path) else 1)
            except BaseException:  # whatever a reader raises is a refusal
                os._exit(1)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        return "" if status == 0 else "refused" if status == 1 else f"ended by signal {-status}"

    return guarded


def read_gguf_py(path: Path) -> bool:
    for field in GGUFReader(str(path)).fields.values():
        field.contents()
    return True


class GGUFInitParams(ctypes.Structure):
    _fields_ = [("no_alloc", ctypes.c_bool), ("context", ctypes.POINTER(ctypes.c_void_p))]


def llama_cpp_reader():
    """gguf_init_from_file, with the data."""
    library = ctypes.CDLL(str(next(LLAMA_LIBRARIES.glob("libggml-base.so*"))))
    library.gguf_init_from_file.restype = ctypes.c_void_p
    library.gguf_init_from_file.argtypes = [ctypes.c_char_p, GGUFInitParams]

    def read(path: Path) -> bool:
        context = ctypes.c_void_p()
        return bool(library.gguf_init_from_file(os.fsencode(path), GGUFInitParams(False, ctypes.pointer(context))))

    return read


def read_safetensors(path: Path) -> str:
    try:
        with safe_open(str(path), "np") as file:
            file.keys()
        return ""
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def modelvet_reader():
    try:
        import modelvet
    except ImportError:
        return None

    def read(path: Path) -> str:
        report = modelvet.verify_path(str(path))
        return "" if report.accepted else report.violation_name

    return read


# ---- The files.


def handcrafted_files(folder: Path) -> list[Path]:
    """What llama.cpp's own test of its reader makes: the test, with a tmpfile() that keeps its files."""
    source = LLAMA_SOURCE / "tests/test-gguf.cpp"
    if not source.exists():
        return []
    kept = folder / "kept.cpp"
    kept.write_text("""
#include <cstdio>
#include <cstdlib>
#include <string>
extern "C" FILE * tmpfile() {
    static int count = 0;
    std::string path = std::string(getenv("KEPT")) + "/handcrafted-" + std::to_string(count++) + ".gguf";
    return fopen(path.c_str(), "w+b");
}
extern "C" size_t ggml_backend_dev_count() { return 0; }
""")
    program = folder / "test-gguf"
    subprocess.run(["g++", "-std=c++17", "-O1", "-w", f"-I{LLAMA_SOURCE}/ggml/include", str(kept), str(source), "-o", str(program),
                    f"-L{LLAMA_LIBRARIES}", "-lggml", "-lggml-base", f"-Wl,-rpath,{LLAMA_LIBRARIES}"], check=True)
    subprocess.run([str(program), "1"], env=os.environ | {"KEPT": str(folder)}, check=False, capture_output=True)
    return sorted(folder.glob("handcrafted-*.gguf"))


def compare(report: Report, kind: str, files: list[Path], readers: dict, watchers: dict) -> None:
    ours = json.loads(probe("reads", "-", {"paths": [str(path) for path in files]}))
    votes, allowed, wrong = Counter(), Counter(), []
    for path, refusal in zip(files, ours):
        others = {name: read(path) for name, read in readers.items()}
        for name, read in watchers.items():
            votes[f"{name} agrees" if bool(read(path)) == bool(refusal) else f"{name} differs"] += 1
        votes["accepted" if not refusal else "refused"] += 1
        if refusal and not any(others.values()):
            table, text = STRICTER[kind], refusal
        elif not refusal and all(others.values()):
            table, text = LOOSER[kind], " ".join(others.values())
        else:
            votes["all agree" if all(bool(o) == bool(refusal) for o in others.values()) else "the others differ"] += 1
            continue
        reason = next((reason for pattern, reason in table.items() if re.search(pattern, text)), None)
        if reason:
            allowed[reason] += 1
        else:
            wrong.append(f"{path.name}: lrpatch: {refusal or 'accepts'}; {others}")
    for reason, count in sorted(allowed.items()):
        report.line("known", kind, reason, f"{count} files")
    for line in wrong[:20]:
        print(line)
    report.check(kind, f"accepts and refuses as {' and '.join(readers)}", not wrong,
                 f"{len(files)} files, {', '.join(f'{count} {name}' for name, count in sorted(votes.items()))}, {len(wrong)} wrong")


def main() -> None:
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    report = Report("parsers")
    folder = WORK / "parsers"
    folder.mkdir(exist_ok=True)
    probe("inputs", str(folder), {"repeats": MUTATIONS, "seed": 1})
    files = sorted(folder.iterdir())
    gguf = [path for path in files if path.suffix == ".gguf"] + sorted(FIXTURES.rglob("*.gguf"))
    tensors = [path for path in files if path.suffix == ".safetensors"] + sorted(FIXTURES.rglob("*.safetensors"))
    made = handcrafted_files(folder)
    report.check("gguf", "test-gguf.cpp makes its files", len(made) > 30 or not LLAMA_SOURCE.exists(), f"{len(made)} files")
    readers = {"gguf-py": in_child(read_gguf_py), "llama.cpp": in_child(llama_cpp_reader())}
    watcher = modelvet_reader()
    watchers = {"modelvet": watcher} if watcher else {}
    compare(report, "gguf", gguf + made, readers, watchers)
    compare(report, "safetensors", tensors, {"safetensors": read_safetensors}, watchers)
    report.finish()


if __name__ == "__main__":
    sys.exit(main())
