"""Checks GGUF files that lrpatch patched with ik_llama.cpp, through the library of its Python package.

Each file is loaded in a process of its own, since the loader may abort, and given the same token at several positions. The
rotated keys of the first layer, which the evaluation callback shows, give the frequencies; compared with those of the
unpatched model, they give the scale. Both must equal what `lrpatch inspect` predicts, for contexts within and beyond the
original window. Files that inspect says it refuses must be refused.

ik_llama.cpp aborts on the rope scaling type that lrpatch writes for most families. Such a file is checked with the key, as
lrpatch wrote it, and without: the key is then renamed in place. One file is as llama.cpp's converter makes it from a patched folder.
"""

import cmath
import ctypes
import json
import math
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import transformers

from common import PEERS, REPOSITORY, WORK, Report, inspect, load_cases, lrpatch
from engines import refuses
from make_models import make_transformers_model, with_factors

FOLDER = WORK / "ik_llama.cpp"
POSITIONS = [0, 1, 8, 64, 192]
TOLERANCE = 1e-5  # relative, of a frequency or the scale
# What the engine says, by what inspect says; anything else must be said in the same words.
SAYS = {
    "it aborts on the rope scaling type 'longrope'": "aborted: GGML_ASSERT(hparams.rope_scaling_type_train !=",
    "wrong number of tensors: it accepts factor tensors of Phi-3 only": "done_getting_tensors: wrong number of tensors",
    "the factor tensors have 6 values, but it expects half of the head, 8": "has wrong shape; expected 8, got 6",
}
FAMILIES = ["llama", "granite", "phi3", "phimoe", "minicpm3"]


def probe(file, context, sequences, neox):
    """In a process of its own: prints the keys of the first head at the positions, as pairs."""
    import ik_llama_cpp._ctypes_api as api

    libraries = Path(api.__file__).parent.parent / "ik_llama_cpp_python.libs"
    ggml = ctypes.CDLL(str(next(libraries.glob("libggml-*.so"))))
    ggml.ggml_get_name.restype, ggml.ggml_get_name.argtypes = ctypes.c_char_p, [ctypes.c_void_p]
    ggml.ggml_nbytes.restype, ggml.ggml_nbytes.argtypes = ctypes.c_size_t, [ctypes.c_void_p]
    ggml.ggml_backend_tensor_get.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t]
    seen = []

    def see(tensor, asks, _):
        wanted = ggml.ggml_get_name(tensor).startswith((b"Kcur-0", b"Kcur_roped-0"))
        if wanted and not asks:
            values = (ctypes.c_float * (ggml.ggml_nbytes(tensor) // 4))()
            ggml.ggml_backend_tensor_get(tensor, values, 0, ctypes.sizeof(values))
            seen.append(list(values))
        return wanted or not asks

    callback = api.ggml_backend_sched_eval_callback(see)
    api.llama_backend_init()
    model = api.llama_model_load_from_file(file.encode(), api.llama_model_default_params())
    if not model:
        sys.exit("the model does not load")
    options = api.llama_context_default_params()
    options.n_ctx, options.n_seq_max, options.cb_eval, options.n_threads = context, sequences, callback, 1
    instance = api.llama_init_from_model(model, options)
    batch = api.llama_batch_init(len(POSITIONS), 0, 1)
    batch.n_tokens = len(POSITIONS)
    for i, position in enumerate(POSITIONS):
        batch.token[i], batch.pos[i], batch.n_seq_id[i], batch.seq_id[i][0], batch.logits[i] = 7, position, 1, 0, 0
    batch.logits[len(POSITIONS) - 1] = 1
    seen.clear()
    if api.llama_decode(instance, batch):
        sys.exit("llama_decode failed")
    size = len(seen[-1]) // len(POSITIONS)
    print(json.dumps([seen[-1][i * size : (i + 1) * size] for i in range(len(POSITIONS))]))


def measure(file, context, sequences=1, *, head, neox=True):
    """The rotated keys at the positions, as complex numbers of the first head."""
    command = [sys.executable, __file__, "probe", str(file), str(context), str(sequences), str(int(neox))]
    result = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=120)
    if result.returncode:
        words = ("GGML_ASSERT", "error loading", "wrong")
        log = [" ".join(line.split()) for line in result.stderr.splitlines() if any(word in line for word in words)]
        aborted = "aborted: " if result.returncode == -signal.SIGABRT else ""
        raise RuntimeError(aborted + "; ".join(log or result.stderr.splitlines()[-1:]))
    half = head // 2
    pairs = [(i, i + half) if neox else (2 * i, 2 * i + 1) for i in range(half)]
    return [[complex(key[a], key[b]) for a, b in pairs] for key in json.loads(result.stdout.splitlines()[-1])]


def frequencies(keys):
    """From the angles between keys; each farther position refines what the nearer ones gave."""
    found = []
    for first, *others in zip(*keys):
        frequency = 0.0
        for position, key in zip(POSITIONS[1:], others):
            angle = -cmath.phase(first / key)
            turns = round((position * frequency - angle) / (2 * math.pi))
            frequency = (angle + 2 * math.pi * turns) / position
        found.append(frequency)
    return found


def convert(folder, name):
    """As check_llama_cpp.py does, under a name for which llama.cpp has no rules."""
    file = FOLDER / f"{name}.gguf"
    if not file.exists():
        converter = REPOSITORY / "scripts/hf_to_gguf.py"
        options = ["--outfile", file, "--outtype", "f32", "--model-name", "conformance"]
        command = [str(part) for part in [PEERS / "venv/bin/python", converter, folder, *options]]
        subprocess.run(command, check=True, capture_output=True)
    return file


def patched(case, unpatched):
    file = FOLDER / f"{case.name}.gguf"
    shutil.copy(unpatched, file)
    result = lrpatch("apply", case.factors, file, *(["--allow-divergent"] if case.literal else []))
    if result.returncode:
        raise RuntimeError(f"lrpatch apply: {result.stderr.strip()[:300]}")
    return file


def check_computes(report, case, what, file, unpatched, readings):
    window, original = case.window, case.original_window
    # inspect describes a server of the whole window. One of the original window has the short side of the paper.
    short, long = readings["paper"]["short"], readings["ik_llama.cpp"]["long"]
    for context, sequences, table in [(original, 1, short), (original + 1, 1, long), (window, window // original, short)]:
        where = f"{what}, -c {context}" + (f" for {sequences} sequences" if sequences > 1 else "")
        keys = measure(file, context, sequences, head=case.head_size)
        plain = measure(unpatched, context, sequences, head=case.head_size)
        report.close(case.name, f"{where}, frequencies", frequencies(keys), table["inverse_frequencies"], TOLERANCE)
        report.close(case.name, f"{where}, scale", abs(keys[0][0] / plain[0][0]), table["mscale"], TOLERANCE)


def check_fails(report, case, what, file, message):
    try:
        measure(file, case.window, head=case.head_size)
    except RuntimeError as error:
        said = all(part in str(error) for part in SAYS.get(message, message).split(": "))
        if "aborts" in message:
            return report.known(case.name, f"{what}, aborts", said, str(error)[-100:])
        return report.check(
            case.name, f"{what}, fails as inspect says", said, f"{error}"[-100:] + ("" if said else f", not: {message}")
        )
    return report.check(case.name, f"{what}, fails as inspect says", False, f"it loads, but should say: {message}")


def check_file(report, case, what, file, unpatched):
    readings = {entry["runtime"]: entry for entry in inspect(file)["runtimes"]}
    entry = readings["ik_llama.cpp"]
    if refuses(entry):
        check_fails(report, case, what, file, entry["notes"][0])
    elif entry["long"]:
        check_computes(report, case, what, file, unpatched, readings)


def check_case(report, case):
    unpatched = convert(case.base, case.base.rpartition("/")[2])
    file = patched(case, unpatched)
    check_file(report, case, "as patched", file, unpatched)
    if b".rope.scaling.type" in file.read_bytes():
        file.write_bytes(file.read_bytes().replace(b".rope.scaling.type", b".rope.scaling.kind"))
        check_file(report, case, "without type", file, unpatched)
    if case.name == "phi3-256-su":
        folder = FOLDER / "phi3"
        lrpatch("apply", case.factors, case.base, "-o", folder)
        check_file(report, case, "converted", convert(folder, "converted"), unpatched)


def untied_partial():
    """phi3-partial has no output matrix, and so is refused before its lists are looked at."""
    theta, differences = 40000.0, {"partial_rotary_factor": 0.75}
    base = make_transformers_model("phi3-untied", "256", "phi3", theta, differences, original_window=256)
    return list(with_factors(base))


def check_rope_freqs(report):
    """Llama 3.1's own factors, which llama.cpp applies."""
    keys = measure(convert(WORK / "base/llama31", "llama31"), 256, head=16, neox=False)
    differences = [abs(found / 20000.0 ** (-i / 8) - 1) for i, found in enumerate(frequencies(keys))]
    report.known("llama31", "rope_freqs.weight", max(differences) < 1e-4, "is ignored in Llama models")


def main():
    if sys.argv[1:2] == ["probe"]:
        return probe(sys.argv[2], *map(int, sys.argv[3:]))
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    FOLDER.mkdir(exist_ok=True)
    report = Report("ik_llama.cpp")
    cases = [case for case in load_cases("gguf.json") if case.model_type in FAMILIES and case.name != "needle-256-x4"]
    cases += untied_partial()
    checks = [(case.name, check_case, [case]) for case in cases if case.name.startswith("phi3-256") or not case.literal]
    for name, check, arguments in [*checks, ("llama31", check_rope_freqs, [])]:
        try:
            check(report, *arguments)
        except Exception as error:
            report.check(name, "runs", False, f"{type(error).__name__}: {str(error)[:300]}")
    report.finish()


if __name__ == "__main__":
    main()
