#!/usr/bin/env python3
"""make-shape.py SHAPE OUT

Writes a model folder of a published shape for measurements of time and memory: bf16 weights that are holes in a sparse file, and the
tokenizer of the fixture model. It takes no disk space, and computes as fast as a real one. Needs only Python.
"""

import argparse
import json
import shutil
import struct
from pathlib import Path

TOKENIZER = Path(__file__).resolve().parent.parent / "fixtures/models/needle-256/tokenizer.json"
SHAPES = {
    "3.8b": dict(hidden_size=3072, num_hidden_layers=32, num_attention_heads=32, num_key_value_heads=32, intermediate_size=8192, vocab_size=32064),
    "8b": dict(hidden_size=4096, num_hidden_layers=32, num_attention_heads=32, num_key_value_heads=8, intermediate_size=14336, vocab_size=128256),
}


def tensors(shape):
    """Every tensor's name and its shape."""
    hidden, wide, vocabulary = shape["hidden_size"], shape["intermediate_size"], shape["vocab_size"]
    keys = hidden // shape["num_attention_heads"] * shape["num_key_value_heads"]
    yield "model.embed_tokens.weight", [vocabulary, hidden]
    for layer in range(shape["num_hidden_layers"]):
        for name, rows, columns in [
            ("self_attn.q_proj", hidden, hidden), ("self_attn.k_proj", keys, hidden), ("self_attn.v_proj", keys, hidden),
            ("self_attn.o_proj", hidden, hidden), ("mlp.gate_proj", wide, hidden), ("mlp.up_proj", wide, hidden), ("mlp.down_proj", hidden, wide),
        ]:  # fmt: skip
            yield f"model.layers.{layer}.{name}.weight", [rows, columns]
        for name in ["input_layernorm", "post_attention_layernorm"]:
            yield f"model.layers.{layer}.{name}.weight", [hidden]
    yield "model.norm.weight", [hidden]
    yield "lm_head.weight", [vocabulary, hidden]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shape", choices=SHAPES)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    shape = SHAPES[options.shape]
    options.out.mkdir(parents=True)
    config = shape | {
        "model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_act": "silu", "rms_norm_eps": 1e-5, "rope_theta": 500000.0,
        "max_position_embeddings": 131072, "tie_word_embeddings": False, "torch_dtype": "bfloat16", "bos_token_id": 0, "eos_token_id": 0,
    }  # fmt: skip
    (options.out / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    shutil.copy(TOKENIZER, options.out)
    header, end = {}, 0
    for name, size in tensors(shape):
        begin, end = end, end + 2 * size[0] * (size[1] if size[1:] else 1)
        header[name] = {"dtype": "BF16", "shape": size, "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(options.out / "model.safetensors", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.truncate(8 + len(text) + end)


if __name__ == "__main__":
    main()
