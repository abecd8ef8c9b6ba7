#!/usr/bin/env python3
"""Measures searches: `gradient` and CMA-ES against the published algorithm, and against the published code itself.

    scripts/bench-search.py [--seeds 5] [--time-limit 120]        run it with the Python of scripts/peers.sh

The model is needle-256 at 4 x, the fitness the perplexity of five documents of the first half of a book. The published
algorithm (`--as-released`, which repeats the published code number for number) runs its 40 iterations. gradient and cma-es
run until they are as good; a loss with its derivatives counts as 3.1 evaluations. The tokens are compared, as the median
over the seeds. The final factors of all, for cma-es those after a fifth of the evaluations, are scored on the other half
of the book. Then the published code's own evolution runs
for a while, driven by transformers on the same processor and documents, and the time of its whole run is calculated from
its time for an evaluation. Do not run anything else meanwhile: one busy core made the published code nine times slower.
"""

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LRPATCH = Path(os.environ.get("LRPATCH", ROOT / ".build/release/lrpatch"))
MODEL = ROOT / "fixtures/models/needle-256"
BOOK = ROOT / "Sources/CTexts/moby-dick.txt.zst"
WINDOW, DOCUMENTS, EVALUATIONS = 1024, 5, 1344


def lrpatch(*arguments):
    start = time.perf_counter()
    result = subprocess.run([LRPATCH, *map(str, arguments)], capture_output=True, text=True)
    if result.returncode:
        sys.exit(f"{arguments}: {result.stderr}")
    return result.stdout, time.perf_counter() - start


def search(place, name, *arguments):
    """The generations of a search and its seconds."""
    text, seconds = lrpatch(
        "search", MODEL, "--no-comparison", "--target-length", WINDOW, "--text", place / "book.txt", "--part", "1/2", "--documents", DOCUMENTS,
        "-o", place / f"{name}.json", "--json", *arguments,
    )  # fmt: skip
    return json.loads(text)["generations"], seconds


def share(generations, goal):
    """The share of a goal's tokens after which its fitness is reached."""
    reached = next((row for row in generations if row["fitness"] <= goal["fitness"]), None)
    return reached["tokens"] / goal["tokens"] if reached else math.inf


def documents(text):
    """The documents that lrpatch takes: evenly spread over the first half of the text, after the beginning token."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(MODEL)
    tokens = tokenizer.encode(text.read_text(), add_special_tokens=False)
    tokens = tokens[: len(tokens) // 2]
    size = WINDOW - 1
    total = len(tokens) - size + 1
    starts = [number * (total - 1) // (DOCUMENTS - 1) for number in range(DOCUMENTS)]
    return [[tokenizer.bos_token_id, *tokens[start : start + size]] for start in starts]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--time-limit", type=int, default=120)
    arguments = parser.parse_args()
    ratios, steep, seconds, evaluations, names = [], [], [], [], []
    with tempfile.TemporaryDirectory() as place:
        place = Path(place)
        subprocess.run(["zstd", "-dqo", place / "book.txt", BOOK], check=True)
        for seed in range(1, arguments.seeds + 1):
            published, published_seconds = search(place, f"published-{seed}", "--as-released", "--seed", seed)
            goal = published[-1]
            # As long as it takes, up to half of the published algorithm's evaluations.
            best, best_seconds = search(
                place, f"cma-{seed}", "--algorithm", "cma-es", "--seed", seed, "--evaluations", EVALUATIONS // 2, "--iterations", 80)  # fmt: skip
            lrpatch(
                "search", MODEL, "--no-comparison", "--target-length", WINDOW, "--text", place / "book.txt", "--part", "1/2", "--documents", DOCUMENTS, "--algorithm",
                "cma-es", "--seed", seed, "--evaluations", EVALUATIONS // 5, "-o", place / f"fifth-{seed}.json", "-q")  # fmt: skip
            steps, steep_seconds = search(place, f"gradient-{seed}", "--algorithm", "gradient", "--seed", seed)
            steep.append(share(steps, goal))
            reached = next((row for row in best if row["fitness"] <= goal["fitness"]), None)
            ratio = share(best, goal)
            ratios.append(ratio)
            seconds.append(best_seconds * (reached["tokens"] / best[-1]["tokens"]) if reached else math.inf)
            evaluations.append(reached["evaluations"] if reached else math.inf)
            names += [place / f"{kind}-{seed}.json" for kind in ("published", "fifth", "gradient")]
            print(
                f"seed {seed}: published {goal['fitness']:.3f} with {goal['tokens'] / 1e6:.2f}M tokens, {published_seconds:.0f} s; "
                f"cma-es as good after {ratio:.3f} of the tokens ({evaluations[-1]} candidates), {seconds[-1]:.1f} s; "
                f"it ends with {best[-1]['fitness']:.3f}; gradient as good after {steep[-1]:.4f}; it ends with "
                f"{steps[-1]['fitness']:.3f} after {steps[-1]['tokens'] / goal['tokens']:.3f} of the tokens, {steep_seconds:.0f} s; "
                f"as good as cma-es's end after {share(steps, best[-1]):.3f} of cma-es's tokens", flush=True)  # fmt: skip
        print(f"tokens of gradient for the published algorithm's final fitness, median: {statistics.median(steep):.4f} of its tokens")
        print(f"tokens of cma-es for the published algorithm's final fitness, median: {statistics.median(ratios):.3f} of its tokens")
        text, _ = lrpatch("factors", "compare", MODEL, *names, "--length", WINDOW, "--text", place / "book.txt", "--part", "2/2",
                          "--documents", 40, "--json")  # fmt: skip
        sets = json.loads(text)["sets"]
        for name, which in [("published", 0), ("cma-es, a fifth of the evaluations", 1), ("gradient", 2)]:
            values = [item["perplexity"] for item in sets[which::3]]
            print(f"held-out perplexity, {name}: {statistics.median(values):.3f} (median of {len(values)}; {min(values):.3f} to {max(values):.3f})")
        json.dump(documents(place / "book.txt"), open(place / "documents.json", "w"))
        out = place / "peer.json"
        command = [
            sys.executable, ROOT / "scripts/published_search.py", MODEL, "--documents", place / "documents.json",
            "--target-length", WINDOW, "--iterations", 40, "--seed", 1, "--time-limit", arguments.time_limit, "--output", out,
        ]  # fmt: skip
        result = subprocess.run(list(map(str, command)), capture_output=True, text=True)
        if result.returncode:
            sys.exit(result.stderr[-2000:])
        peer = json.load(open(out))
        last = peer.get("stopped") or peer["iterations"][-1]
        whole = last["seconds"] / last["evaluations"] * EVALUATIONS
        print(
            f"the published code by transformers: {last['evaluations']} evaluations in {last['seconds']:.0f} s, so {whole:.0f} s for all {EVALUATIONS}; "
            f"cma-es is as good after {statistics.median(seconds):.1f} s: {whole / statistics.median(seconds):.0f} x as fast")


if __name__ == "__main__":
    main()
