"""Checks the forward pass of `lrpatch verify` token by token with transformers (float32, eager), for MiniCPM and
Phi-3-small with MLX-LM. It covers every family, from folders and from GGUF files that llama.cpp's converter made,
unpatched and patched, within the original window, one token beyond it, and at the end of the new one; and greedy
generation that crosses the original window.
"""

import json
import subprocess

import mlx.core as mx
import torch
import transformers
from mlx_lm.models import phi3small
from mlx_lm.models.rope_utils import SuScaledRoPE
from tokenizers import Tokenizer

from check_llama_cpp import FOLDER, apply, convert
from common import LRPATCH, TEXT, WORK, Case, Report, load_cases
from references import load_with_mlx, mlx_predictions, mlx_predictions_by_hand, transformers_predictions

PROBE = LRPATCH.rpartition("/")[0] + "/lrpatch-probe"
TOLERANCE = 1e-4  # of a log-probability
BY_MLX = ["minicpm", "phi3small"]


def probe(command, model, **question):
    result = subprocess.run([PROBE, command, str(model)], input=json.dumps(question), capture_output=True, text=True)
    if result.returncode:
        raise RuntimeError(f"exit {result.returncode}: {result.stderr.strip()[:300]}")
    return json.loads(result.stdout)


def sample(folder, length):
    tokens = Tokenizer.from_file(f"{folder}/tokenizer.json").encode(TEXT.read_text(encoding="utf-8"), add_special_tokens=False)
    return [0, *tokens.ids[: length - 1]]


def load(folder):
    return transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()


def predictions(case, folder):
    if case.model_type in BY_MLX:
        return mlx_predictions(prepared(load_with_mlx(folder), folder))
    model = load(folder)

    def predict(tokens):
        with torch.no_grad():
            return model(torch.tensor(tokens)[None], use_cache=False).logits[0].log_softmax(-1)

    return predict


def prepared(model, folder):
    """MLX-LM's Phi-3-small never predicts certain tokens of the published vocabulary; the config names those of ours."""
    if hasattr(model, "_dummy_tokenizer_ids"):
        model._dummy_tokenizer_ids = mx.array(json.load(open(f"{folder}/config.json"))["dummy_token_indices"])
    return model


def mask_causally():
    """Gives MLX-LM's Phi-3-small a mask of zeros and infinities. It adds its mask to the scores, but its own mask is
    boolean, so in block-sparse layers a token sees those after it."""
    make = phi3small.create_attention_mask

    def additive(*arguments, **options):
        mask = make(*arguments, **options)
        return mx.where(mask, 0.0, -mx.inf) if mask is not None and mask.dtype == mx.bool_ else mask

    phi3small.create_attention_mask = additive


def worst(predict, tokens, scores):
    rows = predict(tokens)[:-1].double()
    expected = rows.gather(1, torch.tensor(tokens[1:])[:, None])[:, 0]
    return (torch.tensor(scores, dtype=torch.float64) - expected).abs().max().item()


def check(report, case, model, what, runtime, predict, lengths):
    for length in lengths:
        tokens = sample(case.base, length)
        scores = probe("scores", model, runtime=runtime, sequences=[tokens])[0]
        difference = worst(predict, tokens, scores)
        report.check(case.name, f"{what}, as {runtime}, {length} tokens", difference <= TOLERANCE, f"{difference:.1e}")


def lengths(case):
    return [case.original_window, case.original_window + 1, case.window]


def check_phi3small(report, case):
    """Checks with factors put in by hand, because MLX-LM's class ignores them: short within the original window. Lengths
    are whole blocks: otherwise MLX-LM counts the queries' blocks from the end, and what a token sees depends on what
    follows it."""
    for table, tested in [("short", [case.original_window]), ("long", [case.original_window + 32, case.window])]:
        model = prepared(load_with_mlx(case.base), case.base)
        for layer in model.model.layers:
            rope = SuScaledRoPE(case.head_size, base=case.theta, long_factor=case.factor_lists()[f"{table}_factor"])
            rope._scale = case.mscale_value()
            layer.self_attn.rope = rope
        check(report, case, case.patched, "patched", "paper", mlx_predictions(model), tested)


def check_phimoe(report, case):
    """Checks the paper's rule by the formula, because transformers uses the short factors at every length."""
    for table, tested in [("short", lengths(case)[:1]), ("long", lengths(case)[1:])]:
        model = load(case.base)
        factors = torch.tensor(case.factor_lists()[f"{table}_factor"])
        size = case.head_size
        frequencies = 1 / (factors * case.theta ** (torch.arange(0, size, 2).float() / size))
        model.model.rotary_emb.rope_init_fn = lambda config, *_, **__: (frequencies, case.mscale_value())

        def predict(tokens, model=model):
            with torch.no_grad():
                return model(torch.tensor(tokens)[None], use_cache=False).logits[0].log_softmax(-1)

        check(report, case, case.patched, "patched", "paper", predict, tested)


def check_generation(report, case):
    """Checks greedy tokens with a cache, from five below the original window to twelve above it."""
    if case.model_type in BY_MLX:
        return
    prompt = sample(case.base, case.original_window - 5)
    model = load(case.patched)
    model.generation_config.eos_token_id = None
    ids = torch.tensor(prompt)[None]
    with torch.no_grad():
        output = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=17, do_sample=False, pad_token_id=0)
    output = output[0, len(prompt) :].tolist()
    found = probe("generate", case.patched, runtime="hf", sequences=[prompt], count=17)[0]
    report.check(case.name, "generates over the crossing, as hf", found == output, f"{found} {output}" if found != output else "")


def check_llama31(report):
    """Checks Llama 3.1's scaling, from the folder and from GGUF, which stores it as a table."""
    case = Case("llama31", str(WORK / "base/llama31"), "llama", 48, 192, 20000.0, 16, 1.0, "")
    for model, runtime in [(case.base, "hf"), (convert(case), "paper")]:
        check(report, case, model, "unpatched", runtime, predictions(case, case.base), [40, 192])


def check_without_factors(report):
    """Checks that families without factors in llama.cpp also run from GGUF, unpatched."""
    for case in [c for c in load_cases() if c.name in ["qwen2-v4-su", "qwen3-v4-su", "mistral-v4-su"]]:
        reference = transformers_predictions(case, None)
        check(report, case, convert(case), "GGUF, unpatched", "paper", reference, [case.original_window, case.window])


def check_gguf(report, case):
    file = convert(case)
    reference = mlx_predictions_by_hand if case.model_type == "minicpm" else transformers_predictions
    check(report, case, file, "GGUF, unpatched", "paper", reference(case, None), [case.original_window, case.window])
    if case.model_type == "phimoe":
        return
    patched = FOLDER / f"{case.name}.verified.gguf"
    patched.write_bytes(file.read_bytes())
    if apply(report, case, patched):
        check(report, case, patched, "GGUF, patched", "paper", reference(case, "short"), [case.original_window])
        check(report, case, patched, "GGUF, patched", "paper", reference(case, "long"), [case.original_window + 1, case.window])


def check_folder(report, case, seen):
    if case.base not in seen:
        seen.add(case.base)
        runtime = "paper" if case.model_type in BY_MLX else "hf"
        check(report, case, case.base, "unpatched", runtime, predictions(case, case.base), [case.original_window, case.window])
    if case.model_type == "phi3small":
        return check_phi3small(report, case)
    runtime = "mlx" if case.model_type in BY_MLX else "hf"
    check(report, case, case.patched, "patched", runtime, predictions(case, case.patched), lengths(case))
    if case.model_type == "phimoe":
        check_phimoe(report, case)
    check_generation(report, case)


def main():
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    mx.set_default_device(mx.cpu)
    FOLDER.mkdir(exist_ok=True)
    mask_causally()
    report, seen = Report("verify"), set()
    checks = [(check_folder, case, (seen,)) for case in load_cases()]
    checks += [(check_gguf, case, ()) for case in load_cases("gguf.json")]
    check_llama31(report)
    check_without_factors(report)
    for run, case, more in checks:
        try:
            run(report, case, *more)
        except Exception as error:
            report.check(case.name, "runs", False, f"{type(error).__name__}: {str(error)[:400]}")
    report.finish()


if __name__ == "__main__":
    main()
