"""Compares the speed of the forward pass with llama.cpp and transformers, in one run on the same machine:

    scripts/bench-verify.py [--rounds 3] [--skip-grid | --only-grid]        run it with the Python of scripts/peers.sh

The model is a random Llama of 125M parameters (hidden 768, 12 layers, 12 heads, 4 key heads, feed-forward 2048, vocabulary
32000). Prefills have 512 and 8192 tokens, with the logits of the last one, on two threads. All programs take turns in each
round, and every number is the median of the rounds. llama.cpp runs with flash attention and the better of two batch sizes,
transformers with sdpa. Then follow the accuracy of `fast` against `exact`, peak memory, and a grid of passkeys.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PEERS = Path(os.environ.get("LRPATCH_PEERS", Path.home() / ".cache/lrpatch-peers"))
LLAMA = PEERS / "llama.cpp/bin"
BUILD = ROOT / ".build/release"
LENGTHS = [512, 8192]
TYPES = ["BF16", "F16", "Q8_0", "Q4_K"]

TRANSFORMERS = """
import sys, time, torch, transformers
torch.set_num_threads(2)
dtype = {"f32": torch.float32, "bf16": torch.bfloat16}[sys.argv[2]]
model = transformers.AutoModelForCausalLM.from_pretrained(sys.argv[1], dtype=dtype, attn_implementation="sdpa").eval()
for length in map(int, sys.argv[3:]):
    ids = torch.arange(length)[None] % 1000
    with torch.no_grad():
        for _ in range(2):
            start = time.perf_counter()
            model(ids, use_cache=False, logits_to_keep=1)
        print(length / (time.perf_counter() - start))
"""


def run(*command, text=None):
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True, input=text)
    if result.returncode:
        sys.exit(f"{command[0]}: exit {result.returncode}: {result.stderr[-400:]}")
    return result.stdout


def probe(command, model, **question):
    return json.loads(run(BUILD / "lrpatch-probe", command, model, text=json.dumps(question)))


def make_models(work):
    import torch
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    torch.manual_seed(1)
    config = transformers.LlamaConfig(
        vocab_size=32000, hidden_size=768, intermediate_size=2048, num_hidden_layers=12, num_attention_heads=12,
        num_key_value_heads=4, max_position_embeddings=16384, bos_token_id=0, eos_token_id=1,
    )  # fmt: skip
    model = transformers.LlamaForCausalLM(config)
    for dtype, name in [(torch.float32, "f32"), (torch.bfloat16, "bf16")]:
        model.to(dtype).save_pretrained(work / name)
        for file in ["tokenizer.json", "tokenizer_config.json"]:
            shutil.copy(ROOT / "fixtures/models/needle-256" / file, work / name)
    run(sys.executable, ROOT / "scripts/hf_to_gguf.py", work / "f32", "--outfile", work / "f32.gguf", "--outtype", "f32", "--model-name", "bench")
    for kind in TYPES:
        run(LLAMA / "llama-quantize", work / "f32.gguf", work / f"{kind}.gguf", kind)


def ours(model, precision, length):
    found = probe("prefill", model, precision=precision, count=length, repeats=1, threads=2)
    return length / found["seconds"][0], found["peakKiB"]


def llama_bench(model, length):
    best = 0
    for batch in [512, 2048]:
        options = ["-p", length, "-n", 0, "-t", 2, "-r", 1, "-fa", 1, "-b", batch, "-ub", batch, "-o", "json"]
        if length > 1000:
            options.append("--no-warmup")  # it would take as long as the measurement
        best = max(best, json.loads(run(LLAMA / "llama-bench", "-m", model, *options))[0]["avg_ts"])
    return best


def measure(work, rounds):
    rates = {}

    def note(name, length, rate):
        rates.setdefault((name, length), []).append(rate)

    for _ in range(rounds):
        for dtype in ["f32", "bf16"]:
            output = run(sys.executable, "-c", TRANSFORMERS, work / dtype, dtype, *LENGTHS)
            for length, rate in zip(LENGTHS, output.split()):
                note(f"transformers {dtype}", length, float(rate))
        for length in LENGTHS:
            note("exact f32", length, ours(work / "f32", "exact", length)[0])
            for kind in TYPES:
                note(f"fast {kind}", length, ours(work / f"{kind}.gguf", "fast", length)[0])
                note(f"llama.cpp {kind}", length, llama_bench(work / f"{kind}.gguf", length))
    return {key: statistics.median(values) for key, values in rates.items()}


def peak_of(*command):
    """Peak memory of another program, in MiB."""
    script = "import resource,subprocess,sys;subprocess.run(sys.argv[1:],stdout=-3,stderr=-3);print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    return int(run(sys.executable, "-c", script, *command)) / 1024


def grid(work, kind):
    """Times a grid of five lengths by ten depths. llama-passkey runs once a length, and its time counts for ten depths."""
    model, lengths = work / f"{kind}.gguf", [512, 1024, 2048, 4096, 8192]
    start = time.perf_counter()
    options = ["--lengths", ",".join(map(str, lengths)), "--depths", 10, "--runtime", "paper", "--no-gates", "--no-progress"]
    run(BUILD / "lrpatch", "verify", model, "--precision", "fast", "--threads", 2, *options)
    mine = time.perf_counter() - start
    theirs = 0
    for length in lengths:
        junk = max(1, (length - 100) * 250 // 6043)  # 250 sentences make 6043 tokens of this vocabulary
        start = time.perf_counter()
        run(LLAMA / "llama-passkey", "-m", model, "--junk", junk, "--pos", junk // 2, "-t", 2, "-c", length + 512)
        theirs += 10 * (time.perf_counter() - start)
    print(f"\npasskeys, {kind}, 5 lengths x 10 depths: {mine:.0f} s; llama-passkey, one run a cell: {theirs:.0f} s; {theirs / mine:.1f} x")


def table(rates):
    def line(name, length, peers):
        mine, best = rates[name, length], max(rates[peer, length] for peer in peers)
        others = ", ".join(f"{peer} {rates[peer, length]:.0f}" for peer in peers)
        print(f"{name:<12} {length:>5} tokens {mine:8.0f} tokens/s   {mine / best:5.2f} x   ({others})")

    for length in LENGTHS:
        line("exact f32", length, ["transformers f32"])
        line("fast BF16", length, ["llama.cpp BF16", "transformers bf16", "transformers f32"])
        for kind in TYPES[1:]:
            line(f"fast {kind}", length, [f"llama.cpp {kind}"])


def prefills(work, rounds):
    """Speed, accuracy and peak memory."""
    print(f"prefill, 2 threads, median of {rounds}; the ratio is to the fastest of those in brackets")
    table(measure(work, rounds))
    print("\naccuracy of fast against exact, 4 windows of 512 random tokens")
    for kind in TYPES:
        found = probe("accuracy", work / f"{kind}.gguf", count=512, repeats=4)
        print(f"{kind:<5} perplexity ratio {found['perplexityRatio']:.5f}, mean KL {found['divergence']:.1e}, same token {found['agreement']:.3f}")
    text = (ROOT / "fixtures/text/moby-dick-opening.txt").read_text(encoding="utf-8")
    print("\nthe same of the trained model of the fixtures, 20 windows of 256 tokens of a book")
    for kind in ["F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "IQ4_NL"]:
        run(LLAMA / "llama-quantize", "--pure", ROOT / "fixtures/models/needle-256-x4.gguf", work / "needle.gguf", kind)
        found = probe("accuracy", work / "needle.gguf", count=256, repeats=20, texts=[text])
        print(f"{kind:<6} perplexity ratio {found['perplexityRatio']:.5f}, mean KL {found['divergence']:.1e}, same token {found['agreement']:.3f}")
    mine = ours(work / "BF16.gguf", "fast", 8192)[1] / 1024
    theirs = peak_of(LLAMA / "llama-bench", "-m", work / "BF16.gguf", "-p", 8192, "-n", 0, "-t", 2, "-r", 1, "-fa", 1)
    print(f"\npeak memory, BF16, 8192 tokens: {mine:.0f} MiB; llama.cpp {theirs:.0f} MiB")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--skip-grid", action="store_true")
    parser.add_argument("--only-grid", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=ROOT / ".build") as folder:
        work = Path(folder)
        make_models(work)
        if not arguments.only_grid:
            prefills(work, arguments.rounds)
        for kind in [] if arguments.skip_grid else ["BF16", "Q8_0"]:
            grid(work, kind)


if __name__ == "__main__":
    main()
