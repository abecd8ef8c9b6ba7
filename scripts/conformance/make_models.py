"""Makes the tiny random models that are patched, and the factors for them.

Theta, epsilon, head size and the original window are never the defaults, so that no default hides a lost key. Each
architecture has two configs: one as transformers 4 wrote it (theta at the top level) and one as transformers 5 does
(theta only inside rope_parameters). MiniCPM and Phi-3-small, which transformers lacks, take their shapes from MLX-LM's
classes.
"""

import json
import shutil

import mlx.core as mx
import torch
import transformers
from mlx.utils import tree_flatten
from mlx_lm.models import minicpm, phi3small
from safetensors.torch import save_file

from common import FIXTURES, NEEDLE, WORK, Case, save_cases

VOCABULARY, LAYERS, HEADS, KV_HEADS, HIDDEN = 1024, 2, 4, 2, 64
COMMON = dict(
    vocab_size=VOCABULARY, hidden_size=HIDDEN, intermediate_size=96, num_hidden_layers=LAYERS, num_attention_heads=HEADS,
    num_key_value_heads=KV_HEADS, rms_norm_eps=3e-5, initializer_range=0.2, bos_token_id=0, eos_token_id=1, pad_token_id=None,
    tie_word_embeddings=False,
)  # fmt: skip

# name -> (model type, theta, differences from COMMON)
ARCHITECTURES = {
    "llama": ("llama", 20000.0, dict(head_dim=24)),
    "mistral": ("mistral", 30000.0, dict(head_dim=20, sliding_window=48)),
    "mistral-7b": ("mistral", 35000.0, dict(sliding_window=48)),
    "phi3": ("phi3", 5000.0, dict(sliding_window=48)),
    "phi3-partial": ("phi3", 40000.0, dict(partial_rotary_factor=0.75, tie_word_embeddings=True)),
    "qwen2": ("qwen2", 50000.0, {}),
    "qwen3": ("qwen3", 60000.0, dict(head_dim=20)),
    "granite": ("granite", 70000.0, dict(
        embedding_multiplier=3.0, attention_multiplier=0.2, residual_multiplier=0.7, logits_scaling=2.0,
        tie_word_embeddings=True)),
    "phimoe": ("phimoe", 80000.0, dict(num_local_experts=4, intermediate_size=48, attention_bias=True, lm_head_bias=True)),
    "minicpm3": ("minicpm3", 90000.0, dict(
        q_lora_rank=32, kv_lora_rank=24, qk_nope_head_dim=8, qk_rope_head_dim=20, num_key_value_heads=HEADS, scale_emb=3.0,
        scale_depth=1.2, dim_model_base=32)),
}  # fmt: skip
# As Mistral 7B was published, without head_dim.
V4_ONLY = {"mistral-7b"}
# llama.cpp knows only the scaling of the published MiniCPM3, and its converter writes no theta.
PUBLISHED_MINICPM3 = dict(scale_emb=12.0, scale_depth=1.4, dim_model_base=256)
# These are converted to GGUF as well. llama.cpp rounds the context up to a multiple of 256, so their windows are multiples.
GGUF_ARCHITECTURES = ["llama", "phi3", "phi3-partial", "granite", "minicpm3", "phimoe"]


def factors_for(pairs, original_window, window, mscale, requires):
    """Non-trivial lists: no value is one, neither list is a multiple of the other, and the last value exceeds s."""
    reach = window / original_window
    part = [i / (pairs - 1) for i in range(pairs)]
    return {
        "schema": "lrpatch.factors/1",
        "original_max_position_embeddings": original_window,
        "max_position_embeddings": window,
        "short_factor": [round(1.013 + 0.31 * x**1.7, 4) for x in part],
        "long_factor": [round(1.057 + 1.09 * reach * x**1.3, 4) for x in part],
        "mscale": mscale,
        "requires": requires,
    }


def write_v4_config(folder):
    """Rewrites config.json as transformers 4 would have written it."""
    config = json.load(open(folder / "config.json"))
    rope = config.pop("rope_parameters")
    config["rope_theta"] = rope["rope_theta"]
    if "partial_rotary_factor" in rope:
        config["partial_rotary_factor"] = rope["partial_rotary_factor"]
    config["rope_scaling"] = None
    config["torch_dtype"] = config.pop("dtype")
    config["transformers_version"] = "4.45.0"
    if config.get("head_dim") == HIDDEN // HEADS:
        del config["head_dim"]
    json.dump(config, open(folder / "config.json", "w"), indent=2)


def name_as_published(folder):
    """Names the class of the remote code, by which llama.cpp's converter recognises Phi-3.5-MoE."""
    config = json.load(open(folder / "config.json"))
    config["architectures"] = ["PhiMoEForCausalLM"]
    config["original_max_position_embeddings"] = config["max_position_embeddings"]
    json.dump(config, open(folder / "config.json", "w"), indent=2)


def copy_tokenizer(folder):
    for file in ["tokenizer.json", "tokenizer_config.json"]:
        shutil.copy(NEEDLE / file, folder)


def make_transformers_model(name, style, model_type, theta, differences, original_window):
    folder = WORK / "base" / f"{name}-{style}"
    settings = COMMON | differences
    partial = settings.pop("partial_rotary_factor", 1.0)
    rope = {"rope_type": "default", "rope_theta": theta} | ({"partial_rotary_factor": partial} if partial != 1.0 else {})
    if model_type == "phi3":
        settings["original_max_position_embeddings"] = original_window
    config = transformers.AutoConfig.for_model(
        model_type, max_position_embeddings=original_window, rope_parameters=rope, dtype="float32", **settings
    )
    torch.manual_seed(sum(map(ord, name)))
    model = transformers.AutoModelForCausalLM.from_config(config).float()
    with torch.no_grad():  # so that norms and biases are not all ones and zeros
        for parameter in model.parameters():
            if parameter.ndim == 1:
                parameter += 0.1 * torch.randn_like(parameter)
    model.save_pretrained(folder)
    copy_tokenizer(folder)
    if style == "v4":
        write_v4_config(folder)
    if model_type == "phimoe":
        name_as_published(folder)
    head_size = config.qk_rope_head_dim if model_type == "minicpm3" else getattr(config, "head_dim", None) or HIDDEN // HEADS
    return Case(folder.name, str(folder), model_type, original_window, 4 * original_window, theta, head_size, partial, "")


def make_llama31():
    """Makes a model with Llama 3.1's own scaling, which is never patched here."""
    rope = dict(rope_type="llama3", factor=4.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=48)
    config = transformers.AutoConfig.for_model(
        "llama", max_position_embeddings=192, rope_parameters=rope | {"rope_theta": 20000.0}, dtype="float32", **COMMON
    )
    torch.manual_seed(31)
    folder = WORK / "base" / "llama31"
    transformers.AutoModelForCausalLM.from_config(config).float().save_pretrained(folder)
    copy_tokenizer(folder)


def make_minicpm(name, original_window):
    folder = WORK / "base" / name
    folder.mkdir(parents=True)
    config = COMMON | dict(
        model_type="minicpm", architectures=["MiniCPMForCausalLM"], torch_dtype="float32", dim_model_base=32, scale_depth=1.2,
        scale_emb=3.0, rope_theta=25000.0, rope_scaling=None, max_position_embeddings=original_window,
    )  # fmt: skip
    json.dump(config, open(folder / "config.json", "w"), indent=2)
    copy_tokenizer(folder)
    save_mlx_model(minicpm.Model(minicpm.ModelArgs.from_dict(config)), folder)
    return Case(name, str(folder), "minicpm", original_window, 4 * original_window, 25000.0, HIDDEN // HEADS, 1.0, "")


def make_phi3small(name, original_window):
    folder = WORK / "base" / name
    folder.mkdir(parents=True)
    config = dict(
        model_type="phi3small", architectures=["Phi3SmallForCausalLM"], torch_dtype="float32", hidden_size=HIDDEN,
        ff_intermediate_size=96, num_hidden_layers=4, num_attention_heads=HEADS, num_key_value_heads=KV_HEADS,
        vocab_size=VOCABULARY, layer_norm_epsilon=3e-5, dense_attention_every_n_layers=2, gegelu_limit=0.7,
        mup_attn_multiplier=2.0, mup_use_scaling=True, mup_embedding_multiplier=3.0, mup_width_multiplier=2.0,
        rope_embedding_base=15000, rope_position_scale=1.0, blocksparse_block_size=32, blocksparse_num_local_blocks=2,
        blocksparse_vert_stride=3, dummy_token_indices=[5, 900], rope_scaling=None, bos_token_id=0, eos_token_id=1,
        max_position_embeddings=original_window,
    )  # fmt: skip
    json.dump(config, open(folder / "config.json", "w"), indent=2)
    copy_tokenizer(folder)
    save_mlx_model(phi3small.Model(phi3small.ModelArgs.from_dict(config)), folder)
    return Case(name, str(folder), "phi3small", original_window, 4 * original_window, 15000.0, HIDDEN // HEADS, 1.0, "")


def save_mlx_model(model, folder):
    generator = torch.Generator().manual_seed(7)
    weights = {}
    for key, value in tree_flatten(model.parameters()):
        noise = torch.randn(value.shape, generator=generator)
        is_norm = "norm" in key and key.endswith("weight")
        weights[key] = 1 + 0.1 * noise if is_norm else 0.2 * noise
    save_file(weights, folder / "model.safetensors", {"format": "pt"})


def with_factors(base):
    """The two cases of a base model: mscale su, and a number that is not su."""
    pairs = int(base.head_size * base.partial_rotary_factor) // 2
    requires = {"rotary_dimensions": 2 * pairs, "rope_theta": base.theta}
    for mscale, value in [("su", "su"), ("literal", {"long": 1.3, "short": 1.3})]:
        name = f"{base.name}-{mscale}"
        factors = WORK / "factors" / f"{name}.json"
        json.dump(factors_for(pairs, base.original_window, base.window, value, requires), open(factors, "w"))
        yield Case(**vars(base) | dict(name=name, mscale=mscale, factors=str(factors)))


def trained_model():
    folder = FIXTURES / "models"
    return Case(
        "needle-256-x4", str(folder / "needle-256-x4"), "llama", 256, 1024, 10000.0, 32, 1.0, "su",
        str(folder / "needle-256-x4.factors.json"),
    )  # fmt: skip


def main():
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    mx.set_default_device(mx.cpu)
    (WORK / "factors").mkdir(parents=True)
    bases = [
        make_transformers_model(name, style, *settings, original_window=96 if style == "v4" else 64)
        for name, settings in ARCHITECTURES.items()
        for style in (["v4"] if name in V4_ONLY else ["v4", "v5"])
    ]
    make_llama31()
    bases.append(make_minicpm("minicpm-v4", 96))
    bases.append(make_phi3small("phi3small-v4", 96))
    save_cases([case for base in bases for case in with_factors(base)] + [trained_model()], "planned.json")

    ARCHITECTURES["minicpm3"] = ("minicpm3", 10000.0, ARCHITECTURES["minicpm3"][2] | PUBLISHED_MINICPM3)
    bases = [make_transformers_model(name, "256", *ARCHITECTURES[name], original_window=256) for name in GGUF_ARCHITECTURES]
    bases.append(make_minicpm("minicpm-256", 256))
    # Wide enough for blocks of 256.
    wide = dict(hidden_size=256, intermediate_size=512, head_dim=64, initializer_range=0.06)
    make_transformers_model("llama-wide", "256", "llama", 20000.0, wide, original_window=256)
    save_cases([case for base in bases for case in with_factors(base)] + [trained_model()], "gguf.json")


if __name__ == "__main__":
    main()
