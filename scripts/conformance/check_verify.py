"""Checks `lrpatch verify` with transformers (MLX-LM for MiniCPM): the same perplexity of the same windows, in single
precision, for every family that verify runs: unpatched models with their sliding windows, and patched ones as `hf` and
`mlx` rotate them, within and beyond the original window. GGUF files are in check_llama_cpp.py.
"""

import json
import math

import mlx.core as mx
import torch
import transformers
from tokenizers import Tokenizer

from common import TEXT, Report, load_cases, lrpatch
from references import load_with_mlx, mlx_predictions

FAMILIES = ["llama", "mistral", "phi3", "qwen2", "qwen3", "granite", "minicpm"]
WINDOWS = 4
TOLERANCE = 1e-5  # relative; single precision on both sides
BOS = 0


def windows(folder, length):
    """As `--method truncate` cuts them: consecutive, each begun by the beginning token."""
    text = TEXT.read_text(encoding="utf-8")
    tokens = Tokenizer.from_file(f"{folder}/tokenizer.json").encode(text, add_special_tokens=False).ids
    step = length - 1
    return [[BOS, *tokens[i * step : (i + 1) * step]] for i in range(WINDOWS)]


def predictions(case, folder):
    if case.model_type == "minicpm":
        return mlx_predictions(load_with_mlx(folder))
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()

    def predict(tokens):
        with torch.no_grad():
            return model(torch.tensor(tokens)[None], use_cache=False).logits[0].log_softmax(-1)

    return predict


def perplexity(predict, lists):
    losses = []
    for tokens in lists:
        rows = predict(tokens)[:-1].double()
        losses.append(-rows.gather(1, torch.tensor(tokens[1:])[:, None]))
    return math.exp(torch.cat(losses).mean().item())


def verified(folder, runtime, length):
    options = ["--perplexity", TEXT, "--windows", WINDOWS, "--depths", 1, "--lengths", length, "--no-gates", "--json", "-q"]
    result = lrpatch("verify", folder, "--runtime", runtime, "--task", "perplexity", *options)
    if result.returncode:
        raise RuntimeError(f"exit {result.returncode}: {result.stderr.strip()[:300]}")
    return json.loads(result.stdout)["perplexities"][0]["perplexity"]


def check(report, case, folder, what, lengths):
    runtime = "mlx" if case.model_type == "minicpm" else "hf"
    predict = predictions(case, folder)
    for length in lengths:
        expected = perplexity(predict, windows(folder, length))
        measured = verified(folder, runtime, length)
        report.close(case.name, f"{what}, {length} tokens, perplexity {measured:.4f}", measured, expected, TOLERANCE)


def main():
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    mx.set_default_device(mx.cpu)
    report, seen = Report("verify"), set()
    for case in load_cases():
        if case.model_type not in FAMILIES:
            continue
        try:
            if case.base not in seen:
                seen.add(case.base)
                check(report, case, case.base, "unpatched", [case.original_window, case.window])
            check(report, case, case.patched, "patched", [case.original_window, case.original_window + 1, case.window])
        except Exception as error:
            report.check(case.name, "runs", False, f"{type(error).__name__}: {str(error)[:400]}")
    report.finish()


if __name__ == "__main__":
    main()
