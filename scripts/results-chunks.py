#!/usr/bin/env python3
"""Writes the section of specs/results.md about prompts in chunks, on needle-256-x4, by lrpatch's own commands.

    scripts/results-chunks.py

The model was trained with its factors, so that its short and long tables differ. A runtime that chooses a table for each forward
pass keeps the keys of the chunks within the original window as they were rotated. What that does is compared with keys that are
computed again, and with keys that are only rotated again.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import results_file

ROOT = Path(__file__).resolve().parent.parent
LRPATCH = Path(os.environ.get("LRPATCH", ROOT / ".build/release/lrpatch"))
MODELS = ROOT / "fixtures/models"
TEXT = ROOT / "fixtures/text/moby-dick-opening.txt"
ORIGINAL, LENGTHS, CHUNKS = 256, [256, 320, 512, 1024], ["none", 256, 128, 100]


def verify(*options):
    command = [
        LRPATCH, "verify", MODELS / "needle-256-x4", "--factors", MODELS / "needle-256-x4.factors.json", "--lengths",
        ",".join(map(str, LENGTHS)), "--perplexity", TEXT, "--no-gates", "--no-progress", "--json", *options,
    ]  # fmt: skip
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if result.returncode not in (0, 1):
        sys.exit(f"{command}: {result.stderr}")
    return json.loads(result.stdout)


def cells(found, runtime):
    """Perplexity and passkeys by length."""
    made = []
    for length in LENGTHS:
        perplexity = next(entry["perplexity"] for entry in found["perplexities"] if (entry["runtime"], entry["length"]) == (runtime, length))
        keys = [cell["exact"] for cell in found["passkeys"] if (cell["runtime"], cell["length"]) == (runtime, length)]
        made.append(f"{perplexity:.1f}, {sum(keys) / len(keys):.0%}")
    return made


def main():
    measured = ["--task", "passkey,perplexity", "--depths", 11, "--samples", 3]
    rows = [("computed again with the long table", cells(verify(*measured, "--runtime", "paper"), "paper"))]
    for chunk in CHUNKS:
        name = "kept, the prompt given whole" if chunk == "none" else f"kept, chunks of {chunk}"
        rows.append((name, cells(verify(*measured, "--runtime", "hf", "--prefill-chunk", chunk), "hf")))
    crossings = {entry["runtime"]: entry for entry in verify("--task", "crossing", "--runtime", "paper,hf")["crossings"]}
    again, kept = crossings["paper"], crossings["hf"]
    lines = [
        "## Prompts in chunks", "",
        "Written by `scripts/results-chunks.py`. needle-256-x4 was trained for 1024 tokens with its factors; its original window is 256.",
        "Perplexity, and the share of 33 passkeys, by the length of the prompt and by what happens to the keys of chunks that end within the",
        "original window. transformers keeps them; it chooses the table for each chunk.", "",
        "| keys | " + " | ".join(f"{length} tokens" for length in LENGTHS) + " |", "|---|" + "---|" * len(LENGTHS),
        *(f"| {name} | " + " | ".join(made) + " |" for name, made in rows), "",
        f"Of the tokens that follow one by one up to {again['length']}, with the keys from before {ORIGINAL}, the perplexity is",
        f"{again['perplexity']:.1f} if these keys are computed again, {again['rotated_again']:.1f} if they are only rotated again, and {kept['perplexity']:.1f} if they are",
        "kept. Rotating is not computing: what later layers made of the first tokens came from short factors too.",
    ]  # fmt: skip
    results_file.replace("chunks", lines)


if __name__ == "__main__":
    main()
