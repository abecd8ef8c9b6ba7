#!/usr/bin/env python3
"""make-large-gguf.py OUT [--gib N] [--tensors N] [--vocabulary N] [--rope-freqs] [--shards N]

Writes a sparse GGUF file of a Llama-like model: a real header with a large vocabulary, and data that is all holes except
for a mark in each tensor. With --shards, OUT is the prefix of the shards' names. Needs only Python.
"""
import argparse
import os
import struct

ALIGNMENT = 32


def string(text):
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def key(name, kind, value):
    return string(name) + struct.pack("<I", kind) + value


def u32(name, value):
    return key(name, 4, struct.pack("<I", value))


def f32(name, value):
    return key(name, 6, struct.pack("<f", value))


def text(name, value):
    return key(name, 8, string(value))


def array(name, kind, items):
    return key(name, 9, struct.pack("<IQ", kind, len(items)) + b"".join(items))


def model_keys(vocabulary):
    tokens = [string(f"token-{index}") for index in range(vocabulary)]
    return [
        text("general.architecture", "llama"), text("general.name", "large"),
        u32("llama.context_length", 8192), u32("llama.embedding_length", 4096),
        u32("llama.block_count", 32), u32("llama.attention.head_count", 32),
        u32("llama.rope.dimension_count", 128), f32("llama.rope.freq_base", 500000.0),
        text("tokenizer.ggml.model", "gpt2"), array("tokenizer.ggml.tokens", 8, tokens),
        array("tokenizer.ggml.token_type", 5, [struct.pack("<i", 1)] * vocabulary),
        u32("tokenizer.ggml.bos_token_id", 1),
    ]


def llama3_factors():
    """rope_freqs.weight of Llama 3.1: theta 500000, factor 8, original window 8192."""
    factors = []
    for pair in range(64):
        period = 2 * 3.141592653589793 * 500000.0 ** (2 * pair / 128)
        if period < 8192 / 4:
            factors.append(1.0)
        elif period > 8192:
            factors.append(8.0)
        else:
            smooth = (8192 / period - 1) / 3
            factors.append(1 / ((1 - smooth) / 8 + smooth))
    return struct.pack("<64f", *factors)


def padded(count):
    return (count + ALIGNMENT - 1) // ALIGNMENT * ALIGNMENT


def write(path, keys, tensors):
    """tensors: (name, element count, data or None), all F32."""
    infos, offset = b"", 0
    places = []
    for name, count, data in tensors:
        infos += string(name) + struct.pack("<IQIQ", 1, count, 0, offset)
        places.append((offset, data))
        offset += padded(count * 4)
    header = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(keys)) + b"".join(keys) + infos
    start = padded(len(header))
    with open(path, "wb") as file:
        file.write(header)
        file.truncate(start + offset)
        for index, (place, data) in enumerate(places):
            file.seek(start + place)
            file.write(data or struct.pack("<I", index))
        file.flush()
        os.fsync(file.fileno())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out")
    parser.add_argument("--gib", type=float, default=8)
    parser.add_argument("--tensors", type=int, default=300)
    parser.add_argument("--vocabulary", type=int, default=150_000)
    parser.add_argument("--rope-freqs", action="store_true")
    parser.add_argument("--shards", type=int, default=1)
    options = parser.parse_args()

    count = int(options.gib * 2**30 / options.tensors / 4)
    tensors = [(f"blk.{i // 9}.tensor_{i % 9}.weight", count, None) for i in range(options.tensors)]
    if options.rope_freqs:
        tensors.insert(0, ("rope_freqs.weight", 64, llama3_factors()))
    keys = model_keys(options.vocabulary)
    if options.shards == 1:
        return write(options.out, keys, tensors)
    step = -(-len(tensors) // options.shards)
    for number in range(options.shards):
        split = [key("split.no", 2, struct.pack("<H", number)),
                 key("split.count", 2, struct.pack("<H", options.shards)),
                 key("split.tensors.count", 5, struct.pack("<i", len(tensors)))]
        name = f"{options.out}-{number + 1:05}-of-{options.shards:05}.gguf"
        write(name, (keys if number == 0 else []) + split, tensors[number * step:(number + 1) * step])


main()
