#!/usr/bin/env python3
"""Runs the commands of guides/ and of README.md as written, and compares their output with the output shown there.

    scripts/test-guides.py [GUIDE ...]          such as phi-3-mini-128k; all of them by default

LRPATCH names the program (default: .build/release/lrpatch). A guide runs in a temporary folder that links to fixtures/,
scripts/ and examples/, with lrpatch on the PATH. All its blocks run in one bash under `set -euo pipefail`:

    ```sh           commands, run in order
    ```sh no-test   commands that need something a test does not have: not run
    ```console      right after an sh block: its output, line by line and to the end. A line `...` stands for any number
                    of lines, and ` ...` at the end of a line for the rest of the line

Blocks of other languages are ignored. Guides that use published models find stand-ins: folders with the real model's
config, but fewer and smaller layers and random weights. A guide that changes fixtures/ fails.
"""

import argparse
import json
import os
import random
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGES = {path.stem: path for path in sorted((ROOT / "guides").glob("*.md"))} | {"README": ROOT / "README.md"}
LINKED = ("fixtures", "scripts", "examples")
TIMEOUT = 300


# The stand-ins


PHI_3_MINI = {
    "architectures": ["Phi3ForCausalLM"],
    "attention_bias": False,
    "attention_dropout": 0.0,
    "auto_map": {
        "AutoConfig": "configuration_phi3.Phi3Config",
        "AutoModelForCausalLM": "modeling_phi3.Phi3ForCausalLM",
    },
    "bos_token_id": 1,
    "embd_pdrop": 0.0,
    "eos_token_id": 2,
    "hidden_act": "silu",
    "hidden_size": 192,
    "initializer_range": 0.02,
    "intermediate_size": 256,
    "max_position_embeddings": 4096,
    "model_type": "phi3",
    "num_attention_heads": 2,
    "num_hidden_layers": 2,
    "num_key_value_heads": 2,
    "original_max_position_embeddings": 4096,
    "pad_token_id": None,
    "resid_pdrop": 0.0,
    "rms_norm_eps": 1e-05,
    "rope_scaling": None,
    "rope_theta": 10000.0,
    "sliding_window": 2047,
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
    "transformers_version": "4.40.2",
    "use_cache": True,
    "vocab_size": 832,
}
LLAMA_3 = {
    "architectures": ["LlamaForCausalLM"],
    "attention_bias": False,
    "attention_dropout": 0.0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "hidden_act": "silu",
    "hidden_size": 256,
    "initializer_range": 0.02,
    "intermediate_size": 384,
    "max_position_embeddings": 8192,
    "model_type": "llama",
    "num_attention_heads": 2,
    "num_hidden_layers": 2,
    "num_key_value_heads": 1,
    "pretraining_tp": 1,
    "rms_norm_eps": 1e-05,
    "rope_scaling": None,
    "rope_theta": 500000.0,
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
    "transformers_version": "4.40.0.dev0",
    "use_cache": True,
    "vocab_size": 768,
}
# Name, config, a tokenizer of the same form, and the length limit in its tokenizer_config.json (Llama 3's: no limit).
STAND_INS = {
    "phi-3-mini-128k": [("Phi-3-mini-4k-instruct", PHI_3_MINI, "marks", 4096)],
    "llama-3-128k": [("Meta-Llama-3-8B", LLAMA_3, "bytes", 1000000000000000019884624838656)],
}


def shapes(config):
    """Yields the names and shapes of all weights, as in the family's checkpoints."""
    hidden, inner, vocabulary = config["hidden_size"], config["intermediate_size"], config["vocab_size"]
    heads, key_heads = config["num_attention_heads"], config["num_key_value_heads"]
    head = hidden // heads
    fused = config["model_type"] == "phi3"
    yield "lm_head.weight", (vocabulary, hidden)
    yield "model.embed_tokens.weight", (vocabulary, hidden)
    yield "model.norm.weight", (hidden,)
    for number in range(config["num_hidden_layers"]):
        layer = f"model.layers.{number}."
        yield layer + "input_layernorm.weight", (hidden,)
        yield layer + "post_attention_layernorm.weight", (hidden,)
        yield layer + "mlp.down_proj.weight", (hidden, inner)
        yield layer + "self_attn.o_proj.weight", (hidden, heads * head)
        if fused:
            yield layer + "mlp.gate_up_proj.weight", (2 * inner, hidden)
            yield layer + "self_attn.qkv_proj.weight", ((heads + 2 * key_heads) * head, hidden)
        else:
            yield layer + "mlp.gate_proj.weight", (inner, hidden)
            yield layer + "mlp.up_proj.weight", (inner, hidden)
            yield layer + "self_attn.q_proj.weight", (heads * head, hidden)
            yield layer + "self_attn.k_proj.weight", (key_heads * head, hidden)
            yield layer + "self_attn.v_proj.weight", (key_heads * head, hidden)


def bf16(numbers):
    """The numbers as bf16: the upper halves of 32-bit floats."""
    return b"".join(struct.pack("<f", number)[2:] for number in numbers)


def write_weights(path, config):
    """Writes a safetensors file: norms of ones, and matrices of consecutive numbers from a random pool."""
    source = random.Random(0)
    pool = bf16(source.gauss(0, config["initializer_range"]) for _ in range(65521))
    one = bf16([1.0])
    header, data, place = {"__metadata__": {"format": "pt"}}, [], 0
    for name, shape in sorted(shapes(config)):
        if len(shape) == 1:
            piece = one * shape[0]
        else:
            size = 2 * shape[0] * shape[1]
            start = place % len(pool)
            piece = (pool * (size // len(pool) + 2))[start : start + size]
        header[name] = {"dtype": "BF16", "shape": list(shape), "data_offsets": [place, place + len(piece)]}
        data.append(piece)
        place += len(piece)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(data))


def write_json(path, value):
    path.write_text(json.dumps(value, indent=2) + "\n")


def make_stand_in(folder, config, tokenizer, longest):
    folder.mkdir()
    write_json(folder / "config.json", config)
    write_json(folder / "generation_config.json", {"bos_token_id": 1, "eos_token_id": 2})
    write_json(
        folder / "tokenizer_config.json", {"bos_token": "<s>", "eos_token": "</s>", "model_max_length": longest}
    )
    shutil.copy(ROOT / "fixtures/tokenizers" / tokenizer / "tokenizer.json", folder)
    write_weights(folder / "model.safetensors", config)


# The guides


class Block:
    """A fenced block: its language, first line and lines, and whether it directly follows the block before."""

    def __init__(self, info, line, follows):
        self.info, self.line, self.follows = info, line, follows
        self.lines = []


def blocks(text):
    found, current, follows = [], None, False
    for number, line in enumerate(text.splitlines(), 1):
        if current is None and line.startswith("```"):
            current = Block(line[3:].strip(), number, follows)
        elif current is None:
            follows = follows and not line.strip()
        elif line == "```":
            found.append(current)
            current, follows = None, True
        else:
            current.lines.append(line)
    if current is not None:
        raise ValueError(f"line {current.line}: the block has no end")
    return found


def steps(text):
    """Pairs of an sh block and the console block with its output, or None."""
    pairs = []
    previous = None
    for block in blocks(text):
        if block.info == "sh":
            pairs.append((block, None))
        elif block.info == "console":
            if previous is None or previous.info != "sh" or not block.follows:
                raise ValueError(f"line {block.line}: a console block that does not follow an sh block")
            pairs[-1] = (previous, block)
        previous = block
    return pairs


def same_line(shown, printed):
    if shown.endswith(" ..."):
        return printed.startswith(shown[:-3].rstrip())
    return shown.rstrip() == printed.rstrip()


def mismatch(shown, printed):
    """The first line of `shown` that is not in its place in `printed`, or None. `...` matches any lines."""
    place, free = 0, False
    for line in shown:
        if line.strip() == "...":
            free = True
            continue
        until = len(printed) if free else min(place + 1, len(printed))
        place = next((at + 1 for at in range(place, until) if same_line(line, printed[at])), None)
        if place is None:
            return line
        free = False
    return None if free or place == len(printed) else f"(nothing more; printed: {printed[place]})"


def run(script, folder, environment):
    """The exit code, None after a timeout, and the output. Every process that the script started ends too."""
    process = subprocess.Popen(
        ["bash", "-c", script], cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True,
    )  # fmt: skip
    try:
        output, _ = process.communicate(timeout=TIMEOUT)
        return process.returncode, output
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return None, process.communicate()[0]


def environment(folder, home, program):
    """A minimal environment, so that no setting of this machine affects a guide."""
    tools = home / "bin"
    tools.mkdir()
    (tools / "lrpatch").symlink_to(program)
    return {
        "PATH": f"{tools}:{os.environ.get('PATH', os.defpath)}",
        "HOME": str(home),
        "TMPDIR": str(home),
        "LC_ALL": "C.UTF-8",
        "PWD": str(folder),
    }


def check(name, program):
    """What is wrong with a guide, or None."""
    pairs = steps(PAGES[name].read_text())
    with tempfile.TemporaryDirectory(prefix="lrpatch-guide-") as place:
        folder, home = Path(place) / "guide", Path(place) / "home"
        folder.mkdir()
        home.mkdir()
        for linked in LINKED:
            (folder / linked).symlink_to(ROOT / linked)
        for stand_in, config, tokenizer, longest in STAND_INS.get(name, []):
            make_stand_in(folder / stand_in, config, tokenizer, longest)
        # A marker line before each block shows which block printed what.
        mark = f"--- {os.urandom(8).hex()} "
        script = "set -euo pipefail\n"
        for number, (block, _) in enumerate(pairs):
            script += f"printf '\\n{mark}{number}\\n'\n" + "\n".join(block.lines) + "\n"
        status, output = run(script, folder, environment(folder, home, program))
    printed = re.split(rf"(?:^|\n){mark}\d+\n", output)[1:]
    for number, ((block, shown), text) in enumerate(zip(pairs, printed), 1):
        lines = text.splitlines()
        if number == len(printed) and (status != 0 or number < len(pairs)):
            ended = "took too long" if status is None else f"ended with exit code {status}"
            return f"{name}.md:{block.line}: this block {ended}\n" + indented(lines)
        wrong = mismatch(shown.lines, lines) if shown else None
        if wrong is not None:
            return f"{name}.md:{shown.line}: not what line {block.line} prints: {wrong}\n" + indented(lines)
    return None if printed else f"{name}.md: nothing ran\n" + indented(output.splitlines())


def indented(lines):
    return "\n".join("    " + line for line in lines)


def state(folder):
    """The size and time of each file, which change if a file is written."""
    return {path: (path.lstat().st_size, path.lstat().st_mtime_ns) for path in [folder, *folder.rglob("*")]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    known = list(PAGES)
    parser.add_argument("guides", nargs="*", metavar="GUIDE", help="a file name in guides/, with or without .md")
    names = [Path(guide).stem for guide in parser.parse_args().guides] or known
    unknown = [name for name in names if name not in known]
    if unknown:
        parser.error(f"no such guide: {', '.join(unknown)} (there are: {', '.join(known)})")
    program = Path(os.environ.get("LRPATCH", ROOT / ".build/release/lrpatch")).resolve()
    if not os.access(program, os.X_OK):
        parser.error(f"no program at {program}: build it, or name it in LRPATCH")
    failed = False
    for name in names:
        before, start = state(ROOT / "fixtures"), time.perf_counter()
        try:
            problem = check(name, program)
        except ValueError as error:
            problem = f"{name}.md: {error}"
        if problem is None and state(ROOT / "fixtures") != before:
            problem = f"{name}.md: changed fixtures/"
        seconds = time.perf_counter() - start
        print(f"{'FAIL' if problem else 'ok':4}  {name}  {seconds:.1f} s", flush=True)
        if problem:
            print(problem, flush=True)
            failed = True
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
