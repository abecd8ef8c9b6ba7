"""Models of transformers and MLX-LM with LongRoPE put in by hand, to predict what a patched model must give.

Each function returns what `chunks.perplexity` takes: tokens -> log-probabilities of the next token at every position.
`table` is "short", "long", or None for the unpatched model.
"""

from pathlib import Path

import mlx.core as mx
import numpy as np
import torch
import transformers
from mlx.utils import tree_map
from mlx_lm.models.rope_utils import SuScaledRoPE
from mlx_lm.utils import load_model


def transformers_predictions(case, table):
    config = transformers.AutoConfig.from_pretrained(case.base)
    if getattr(config, "sliding_window", None):
        config.sliding_window = None  # llama.cpp disables or never reads it, and a patch for a longer window removes it
    if table:
        factor = case.factor_lists()[f"{table}_factor"]
        config.original_max_position_embeddings = case.original_window
        config.max_position_embeddings = case.window
        kept = {name: value for name, value in config.rope_parameters.items() if name == "llama_4_scaling_beta"}
        config.rope_parameters = kept | {
            "rope_type": "longrope", "rope_theta": case.theta, "partial_rotary_factor": case.partial_rotary_factor,
            "attention_factor": case.mscale_value(), "short_factor": factor, "long_factor": factor,
            "original_max_position_embeddings": case.original_window,
        }  # fmt: skip
    model = transformers.AutoModelForCausalLM.from_pretrained(case.base, config=config, dtype=torch.float32).eval()

    def predict(tokens):
        with torch.no_grad():
            return model(torch.tensor(tokens)[None], use_cache=False).logits[0].log_softmax(-1)

    return predict


def load_with_mlx(folder):
    model, _ = load_model(Path(folder))
    model.update(tree_map(lambda weight: weight.astype(mx.float32), model.parameters()))
    return model.eval()


def mlx_predictions(model):
    def predict(tokens):
        logits = model(mx.array(tokens)[None])[0]
        return torch.from_numpy(np.array(logits - mx.logsumexp(logits, axis=-1, keepdims=True)))

    return predict


def mlx_predictions_by_hand(case, table):
    model = load_with_mlx(case.base)
    if table:
        for layer in model.model.layers:
            rope = SuScaledRoPE(case.head_size, base=case.theta, long_factor=case.factor_lists()[f"{table}_factor"])
            rope._scale = case.mscale_value()
            layer.self_attn.rope = rope
    return mlx_predictions(model)
