#!/usr/bin/env python3
"""Measures conversions of a random Llama of 1.1 billion parameters (2.2 GB, bf16, sharded) to GGUF.

    scripts/bench-convert.py [--rounds 3]        run it with the Python of scripts/peers.sh

bf16 against `cp --reflink=never` of the same bytes, both with fsync and a warm cache; f16 and q8_0 against llama.cpp's
converter. All take turns in each round, and every time is the median of the rounds. Peak memory is the process's own.
BENCH_FOLDER chooses the file system.
"""

import argparse
import json
import multiprocessing
import os
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
LRPATCH = ROOT / ".build/release/lrpatch"
HIDDEN, LAYERS, HEADS, KV_HEADS, FEED_FORWARD, VOCABULARY = 2048, 22, 32, 4, 5632, 32000
SHARD = 500_000_000


def shapes():
    width = HIDDEN // HEADS * KV_HEADS
    yield "model.embed_tokens.weight", (VOCABULARY, HIDDEN)
    for layer in range(LAYERS):
        name = f"model.layers.{layer}."
        yield from [
            (name + "self_attn.q_proj.weight", (HIDDEN, HIDDEN)), (name + "self_attn.k_proj.weight", (width, HIDDEN)),
            (name + "self_attn.v_proj.weight", (width, HIDDEN)), (name + "self_attn.o_proj.weight", (HIDDEN, HIDDEN)),
            (name + "mlp.gate_proj.weight", (FEED_FORWARD, HIDDEN)), (name + "mlp.up_proj.weight", (FEED_FORWARD, HIDDEN)),
            (name + "mlp.down_proj.weight", (HIDDEN, FEED_FORWARD)), (name + "input_layernorm.weight", (HIDDEN,)),
            (name + "post_attention_layernorm.weight", (HIDDEN,)),
        ]  # fmt: skip
    yield "model.norm.weight", (HIDDEN,)
    yield "lm_head.weight", (VOCABULARY, HIDDEN)


def write_shard(path, tensors, noise):
    header, offset = {"__metadata__": {"format": "pt"}}, 0
    for name, shape in tensors:
        size = 2 * int(np.prod(shape))
        header[name] = {"dtype": "BF16", "shape": list(shape), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for index, (_, shape) in enumerate(tensors):
            start = index * 977 % 4096
            file.write(noise[start : start + int(np.prod(shape))].tobytes())


def make_model(folder):
    folder.mkdir()
    noise = (np.random.default_rng(1).standard_normal(VOCABULARY * HIDDEN + 4096, dtype=np.float32) * 0.02).view(np.uint32)
    noise = (noise >> 16).astype(np.uint16)
    groups, size = [[]], 0
    for name, shape in shapes():
        count = 2 * int(np.prod(shape))
        if size + count > SHARD:
            groups.append([])
            size = 0
        groups[-1].append((name, shape))
        size += count
    places = {}
    for index, group in enumerate(groups):
        file = f"model-{index + 1:05}-of-{len(groups):05}.safetensors"
        write_shard(folder / file, group, noise)
        places |= {name: file for name, _ in group}
    index = {"metadata": {"total_size": 0}, "weight_map": places}
    json.dump(index, open(folder / "model.safetensors.index.json", "w"))
    config = dict(
        architectures=["LlamaForCausalLM"], model_type="llama", vocab_size=VOCABULARY, hidden_size=HIDDEN,
        intermediate_size=FEED_FORWARD, num_hidden_layers=LAYERS, num_attention_heads=HEADS, num_key_value_heads=KV_HEADS,
        max_position_embeddings=4096, rms_norm_eps=1e-5, rope_theta=10000.0, hidden_act="silu", bos_token_id=0, eos_token_id=1,
        tie_word_embeddings=False, torch_dtype="bfloat16",
    )  # fmt: skip
    json.dump(config, open(folder / "config.json", "w"))
    for file in ["tokenizer.json", "tokenizer_config.json"]:
        shutil.copy(ROOT / "fixtures/models/needle-256" / file, folder)


def timed(*command):
    """The seconds of a command and its peak memory in MiB."""
    start = time.perf_counter()
    process = subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{command}: {errors.decode()[-500:]}")
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def copy(model, folder):
    """Copies as cp does, and syncs as a conversion does."""
    folder.mkdir()
    files = sorted(model.glob("*.safetensors"))
    start = time.perf_counter()
    subprocess.run(["cp", "--reflink=never", *map(str, files), str(folder)], check=True)
    subprocess.run(["sync", *[str(folder / file.name) for file in files], str(folder)], check=True)
    seconds = time.perf_counter() - start
    shutil.rmtree(folder)
    return seconds


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    times, memory = {}, {}
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_FOLDER", ROOT / ".build")) as place:
        place = Path(place)
        model, out = place / "model", place / "out.gguf"
        # In a process of its own, because a child inherits its parent's peak memory.
        maker = multiprocessing.Process(target=make_model, args=(model,))
        maker.start()
        maker.join()
        size = sum(file.stat().st_size for file in model.glob("*.safetensors"))
        copy(model, place / "warm")
        for _ in range(rounds):
            times.setdefault("cp", []).append(copy(model, place / "copy"))
            for kind in ["bf16", "f16", "q8_0", "q4_k"]:
                seconds, peak = timed(LRPATCH, "convert", model, "-o", out, "--type", kind, "-q")
                times.setdefault(kind, []).append(seconds)
                memory[kind] = max(memory.get(kind, 0), peak)
                out.unlink()
            for kind in ["f16", "q8_0"]:
                converter = [sys.executable, ROOT / "scripts/hf_to_gguf.py", model, "--outfile", out, "--outtype", kind]
                seconds, peak = timed(*converter)
                times.setdefault(f"converter {kind}", []).append(seconds)
                memory[f"converter {kind}"] = peak
                out.unlink()
    median = {name: statistics.median(values) for name, values in times.items()}
    print(f"{size / 1e9:.2f} GB of bf16 in shards, median of {rounds}")
    print(f"cp --reflink=never and sync   {median['cp']:6.2f} s")
    for kind, peer in [("bf16", "cp"), ("f16", "converter f16"), ("q8_0", "converter q8_0"), ("q4_k", None)]:
        line = f"lrpatch convert, {kind:<5}        {median[kind]:6.2f} s, peak {memory[kind]:4.0f} MiB"
        if peer == "cp":
            line += f"; {median[kind] / median['cp']:.2f} x the time of cp"
        elif peer:
            line += f"; {median[peer] / median[kind]:.1f} x as fast as llama.cpp's converter ({median[peer]:.1f} s, {memory[peer]:.0f} MiB)"
        print(line)


if __name__ == "__main__":
    main()
