"""Checks GGUF files that lrpatch patched in place with llama.cpp: llama-perplexity gives transformers' number (MLX-LM's for
MiniCPM) over the same chunks, unpatched and patched, within the original window and beyond it.

The files are made from the unpatched models by llama.cpp's own converter, in single precision.
"""

import filecmp
import json
import shutil
import subprocess
import sys

import mlx.core as mx
import transformers

from chunks import chunk_count, chunk_tokens, perplexity
from common import PEERS, REPOSITORY, TEXT, WORK, Case, Report, llama_perplexity, load_cases, lrpatch
from references import mlx_predictions_by_hand, transformers_predictions

TOOLS = PEERS / "llama.cpp/bin"
FOLDER = WORK / "gguf"
TYPES = [
    "F32", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ4_NL", "IQ4_XS",
]  # fmt: skip
# Types of keys and values.
CACHES = [("f16", "f16"), ("bf16", "bf16"), ("q8_0", "q8_0"), ("q5_1", "q5_1"), ("q5_0", "q5_0"), ("q4_1", "q4_1"), ("q4_0", "q4_0"), ("q8_0", "q4_0")]
TOLERANCE = 1e-5  # relative; with single precision on both sides they agree to about 1e-7


def run(*command):
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True, errors="replace")
    if result.returncode:
        raise RuntimeError(f"{command[0]}: exit {result.returncode}: {(result.stdout + result.stderr)[-300:]}")
    return result.stdout + result.stderr


def convert(case):
    """Converts the unpatched model to GGUF, under a name for which llama.cpp has no rules."""
    file = FOLDER / f"{case.base.rpartition('/')[2]}.gguf"
    if not file.exists():
        converter = REPOSITORY / "scripts/hf_to_gguf.py"
        run(sys.executable, converter, case.base, "--outfile", file, "--outtype", "f32", "--model-name", "conformance")
    return file


def precisely(file, context, cache=None):
    """The perplexity with a cache of the given types of keys and values, else in 32-bit floats."""
    precise = ["-fa", "on", "-ctk", cache[0], "-ctv", cache[1]] if cache else ["-fa", "off", "-ctk", "f32", "-ctv", "f32"]
    return llama_perplexity(file, context, chunk_count(context), "-b", context, "-ub", context, *precise)


def reference(case, table):
    return mlx_predictions_by_hand(case, table) if case.model_type == "minicpm" else transformers_predictions(case, table)


def check_perplexity(report, case, what, file, context, table):
    expected = perplexity(reference(case, table), chunk_tokens(case.base, context))
    measured = precisely(file, context)
    report.close(case.name, f"{what}, -c {context}, perplexity {measured:.4f}", measured, expected, TOLERANCE)
    report.close(case.name, f"{what}, verify, {context} tokens", verified(file, context), expected, TOLERANCE)
    return measured


def verified(file, context, *more, runtime="paper"):
    """The perplexity by `lrpatch verify`, which takes the short table within the original window, as the papers do."""
    options = ["--method", "llama.cpp", "--windows", chunk_count(context), "--lengths", context, "--no-gates", "--json", "-q"]
    result = lrpatch("verify", file, "--runtime", runtime, "--task", "perplexity", "--perplexity", TEXT, *options, *more)
    if result.returncode:
        raise RuntimeError(f"lrpatch verify: exit {result.returncode}: {result.stderr.strip()[:300]}")
    return json.loads(result.stdout)["perplexities"][0]["perplexity"]


def apply(report, case, file):
    divergent = ["--allow-divergent"] if case.literal else []
    result = lrpatch("apply", case.factors, file, *divergent)
    message = result.stderr.strip()[:200] if result.returncode else ""
    return report.check(case.name, f"apply in place to {file.name}", result.returncode == 0, message)


def check_case(report, case, unpatched_done):
    unpatched = convert(case)
    sides = [(case.original_window, "short"), (case.window, "long")]
    if unpatched not in unpatched_done:
        unpatched_done[unpatched] = {
            context: check_perplexity(report, case, "unpatched", unpatched, context, None) for context, _ in sides
        }
    patched = FOLDER / f"{case.name}.patched.gguf"
    shutil.copy(unpatched, patched)
    if not apply(report, case, patched):
        return
    for context, table in sides:
        measured = check_perplexity(report, case, "patched", patched, context, table)
        change = abs(measured / unpatched_done[unpatched][context] - 1)
        report.check(case.name, f"patching shows, -c {context}", change > 10 * TOLERANCE, f"{change:.1e}")
    lrpatch("revert", patched)
    report.check(case.name, "revert gives the converter's bytes back", filecmp.cmp(unpatched, patched, shallow=False))


def check_split(report, case):
    """Checks the trained model in three files, patched by naming the second."""
    folder = FOLDER / "split"
    folder.mkdir()
    run(TOOLS / "llama-gguf-split", "--split", "--split-max-tensors", 14, convert(case), folder / "model")
    if apply(report, case, folder / "model-00002-of-00003.gguf"):
        first = folder / "model-00001-of-00003.gguf"
        for context, table in [(case.original_window, "short"), (case.window, "long")]:
            check_perplexity(report, case, "split, patched", first, context, table)


def check_cache(report, case):
    """Keys and values that are kept in other types."""
    file, context = convert(case), case.original_window
    for cache in CACHES:
        measured = verified(file, context, "--cache", cache[0], "--cache-values", cache[1])
        report.close(case.name, f"cache of {'/'.join(cache)}", measured, precisely(file, context, cache), 3e-3)


def check_rounding(report, case):
    """Checks that llama.cpp rounds a context of 96 up to 256, and so leaves an original window of 96."""
    file = FOLDER / f"{case.name}.gguf"
    shutil.copy(convert(case), file)
    if not apply(report, case, file):
        return
    chunks = chunk_tokens(case.base, case.original_window)
    measured = precisely(file, case.original_window)
    long = perplexity(reference(case, "long"), chunks)
    detail = "-c is rounded up to a multiple of 256, so a window of 96 uses the long table"
    report.known(case.name, f"-c {case.original_window}", abs(measured / long - 1) < TOLERANCE, detail)


def check_phimoe(report, case):
    """llama.cpp's norms and routing differ from the model's training; checks that verify follows llama.cpp."""
    patched = FOLDER / f"{case.name}.patched.gguf"
    shutil.copy(convert(case), patched)
    if not apply(report, case, patched):
        return
    for what, file in [("unpatched", convert(case)), ("patched", patched)]:
        for context in [case.original_window, case.window]:
            expected = precisely(file, context)
            if what == "patched" and context == case.original_window:
                # With a context within the original window llama.cpp takes the short table. verify does not, because
                # it follows a server of the long window.
                continue
            measured = verified(file, context, runtime="llama.cpp")
            report.close(case.name, f"{what}, as llama.cpp, {context} tokens", measured, expected, TOLERANCE)


def check_types(report):
    """Checks a model in every type of llama.cpp's quantizer. llama.cpp rounds activations too, so numbers differ a little."""
    case = Case("llama-wide", str(WORK / "base/llama-wide-256"), "llama", 256, 1024, 20000.0, 64, 1.0, "")
    for kind in TYPES:
        file = FOLDER / f"llama-wide.{kind}.gguf"
        run(TOOLS / "llama-quantize", "--pure", convert(case), file, kind)
        expected, measured = precisely(file, 256), verified(file, 256)
        report.close(case.name, f"{kind}, perplexity {measured:.4f}", measured, expected, 0.003)
        fast = verified(file, 256, "--precision", "fast")
        report.close(case.name, f"{kind}, fast, perplexity {fast:.4f}", fast, measured, 0.003)


def main():
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    mx.set_default_device(mx.cpu)
    FOLDER.mkdir(exist_ok=True)
    report = Report("llama.cpp")
    cases, unpatched_done = load_cases("gguf.json"), {}
    checks = [(check_case, case, (unpatched_done,)) for case in cases if case.model_type != "phimoe"]
    checks += [(check_phimoe, case, ()) for case in cases if case.model_type == "phimoe"]
    checks += [(check_cache, case, ()) for case in cases if case.name == "needle-256-x4"]
    checks += [(check_split, case, ()) for case in cases if case.name == "needle-256-x4"]
    checks += [(check_rounding, case, ()) for case in load_cases("planned.json") if case.name == "llama-v4-su"]
    check_types(report)
    for check, case, more in checks:
        try:
            check(report, case, *more)
        except Exception as error:
            report.check(case.name, "runs", False, f"{type(error).__name__}: {str(error)[:400]}")
    report.finish()


if __name__ == "__main__":
    main()
