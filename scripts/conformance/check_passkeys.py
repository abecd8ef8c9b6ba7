"""Checks passkey retrieval and perplexity of the trained model, as a Llama and as a Phi-3, with transformers and MLX-LM:
the same prompts, decoded greedily by each runtime itself, give the same verdicts by both scores, at the original window,
one token below it and one above, and far beyond.
"""

import json
import re
import shutil

import mlx.core as mx
import torch
import transformers
from mlx_lm.models.cache import make_prompt_cache
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

from check_verify import probe
from common import FIXTURES, TEXT, WORK, Report, lrpatch
from references import load_with_mlx

LENGTHS = [255, 256, 257, 300, 1024]
DEPTHS = [0.0, 0.3, 0.7, 1.0]
FACTORS = FIXTURES / "models/needle-256-x4.factors.json"


def as_phi3(source, folder):
    """Writes the same weights with Phi-3's fused projections: the two families compute the same."""
    folder.mkdir()
    for file in ["tokenizer.json", "tokenizer_config.json"]:
        shutil.copy(source / file, folder)
    config = json.load(open(source / "config.json"))
    config |= {"model_type": "phi3", "architectures": ["Phi3ForCausalLM"], "sliding_window": None}
    config["original_max_position_embeddings"] = config["max_position_embeddings"]
    json.dump(config, open(folder / "config.json", "w"), indent=1)
    weights = load_file(source / "model.safetensors")
    for name in [n for n in weights if n.endswith("q_proj.weight")]:
        parts = [weights.pop(name.replace("q_proj", part)) for part in ["q_proj", "k_proj", "v_proj"]]
        weights[name.replace("q_proj", "qkv_proj")] = torch.cat(parts)
    for name in [n for n in weights if n.endswith("gate_proj.weight")]:
        parts = [weights.pop(name.replace("gate_proj", part)) for part in ["gate_proj", "up_proj"]]
        weights[name.replace("gate_proj", "gate_up_proj")] = torch.cat(parts)
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    return folder


def decode_with_transformers(folder):
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    model.generation_config.eos_token_id = None

    def decode(prompt):
        ids = torch.tensor(prompt)[None]
        with torch.no_grad():
            out = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=10, do_sample=False, pad_token_id=0)
        return out[0, len(prompt) :].tolist()

    return decode


def decode_with_mlx(folder):
    model = load_with_mlx(folder)

    def decode(prompt):
        cache, tokens = make_prompt_cache(model), list(prompt)
        for _ in range(10):
            fresh = tokens[cache[0].offset :]
            tokens.append(int(mx.argmax(model(mx.array(fresh)[None], cache=cache)[0, -1])))
        return tokens[len(prompt) :]

    return decode


def verdicts(tokenizer, found, answer, key):
    """The exact and the published verdict, from ten greedy tokens."""
    following = tokenizer.id_to_token(found[len(answer)])
    exact = found[: len(answer)] == answer and not following[:1].isdigit()
    digits = re.search(r"\d+", tokenizer.decode(found))
    return exact, bool(digits) and int(digits[0]) == key


def check(report, name, folder, runtime, decode):
    tokenizer = Tokenizer.from_file(f"{folder}/tokenizer.json")
    prompts = probe("passkeys", folder, lengths=LENGTHS, depths=DEPTHS)
    options = ["--lengths", ",".join(map(str, LENGTHS)), "--no-gates", "--json", "-q", "--runtime", runtime]
    wrong, right, measured = [], 0, {}
    result = lrpatch("verify", folder, *options, "--depths", 11, "--samples", 1)
    for cell in json.loads(result.stdout)["passkeys"]:
        measured[cell["length"], round(cell["depth"], 6)] = cell
    for prompt in prompts:
        cell = measured[prompt["length"], round(prompt["depth"], 6)]
        tokens, length = prompt["tokens"], prompt["prompt"]
        expected = verdicts(tokenizer, decode(tokens[:length]), tokens[length:], prompt["key"])
        right += expected[0]
        if cell["key"] != prompt["key"] or (cell["exact"], cell["published"]) != expected:
            wrong.append((prompt["length"], prompt["depth"]))
    what = f"{len(prompts)} passkeys as {runtime}, of which it finds {right}"
    report.check(name, what, not wrong, f"other verdicts at {wrong}" if wrong else "")


def check_perplexity(report, name, folder):
    """Checks documents that begin at multiples of a power of two, as `--method truncate` makes them."""
    text = TEXT.read_text(encoding="utf-8")
    ids = Tokenizer.from_file(f"{folder}/tokenizer.json").encode(text, add_special_tokens=False).ids
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    lengths = [255, 256, 257, 1024]
    options = ["--task", "perplexity", "--perplexity", TEXT, "--windows", 2, "--runtime", "hf", "--no-gates", "--json", "-q"]
    result = lrpatch("verify", folder, *options, "--lengths", ",".join(map(str, lengths)))
    measured = {cell["length"]: cell["perplexity"] for cell in json.loads(result.stdout)["perplexities"]}
    for length in lengths:
        losses = []
        step = 1 << (length - 1).bit_length()
        for start in (0, step):
            tokens = torch.tensor([0, *ids[start : start + length - 1]])[None]
            with torch.no_grad():
                rows = model(tokens, use_cache=False).logits[0, :-1].double().log_softmax(-1)
            losses.append(-rows.gather(1, tokens[0, 1:, None]))
        expected = torch.cat(losses).mean().exp().item()
        report.close(name, f"perplexity at {length} tokens, {expected:.4f}", measured[length], expected, 1e-3)


def check_vision(report, phi3, folder):
    """Checks the text half of a Phi-3-vision: the same weights, together with those of a vision part."""
    shutil.copytree(phi3, folder)
    config = json.load(open(folder / "config.json")) | {"model_type": "phi3_v"}
    json.dump(config, open(folder / "config.json", "w"))
    weights = load_file(folder / "model.safetensors")
    weights["model.vision_embed_tokens.wte.weight"] = torch.zeros(4, 4)
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    tokens = [[0, *range(5, 300)]]
    scores = [probe("scores", model, runtime="paper", sequences=tokens) for model in [phi3, folder]]
    report.check("phi3_v", "the text half scores as phi3", scores[0] == scores[1])


def main():
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    mx.set_default_device(mx.cpu)
    report = Report("passkeys")
    llama = FIXTURES / "models/needle-256-x4"
    folder = WORK / "passkeys"
    folder.mkdir()
    for name, base in [("llama", llama), ("phi3", as_phi3(llama, folder / "phi3"))]:
        patched = folder / f"{name}-patched"
        applied = lrpatch("apply", FACTORS, base, "-o", patched)
        if not report.check(name, "apply", applied.returncode == 0, applied.stderr.strip()[:200] if applied.returncode else ""):
            continue
        for what, model in [("unpatched", base), ("patched", patched)]:
            check(report, f"{name} {what}", model, "hf", decode_with_transformers(model))
            check(report, f"{name} {what}", model, "mlx", decode_with_mlx(model))
            check_perplexity(report, f"{name} {what}", model)
    check_vision(report, folder / "phi3", folder / "phi3-vision")
    report.finish()


if __name__ == "__main__":
    main()
