#!/usr/bin/env python3
"""Writes the section of specs/results.md on needle-256: how closed forms and searches perform on needle-256, by lrpatch's own commands.

    scripts/results.py [--quick]

needle-256 was trained within 256 tokens. It is extended 4 x and 8 x without training. Searches by perplexity see the
first half of a book, and all factors are judged on the other half. Searches by needles see different passkeys from those
that judge them.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import results_file

ROOT = Path(__file__).resolve().parent.parent
LRPATCH = Path(os.environ.get("LRPATCH", ROOT / ".build/release/lrpatch"))
MODEL = ROOT / "fixtures/models/needle-256"
NEEDLES, PASSKEYS, DOCUMENTS = 200, 20, 40


def lrpatch(*arguments):
    start = time.perf_counter()
    result = subprocess.run([LRPATCH, *map(str, arguments)], capture_output=True, text=True)
    if result.returncode not in (0, 1):
        sys.exit(f"{arguments}: {result.stderr}")
    return result.stdout, time.perf_counter() - start


def searches(window, place, quick):
    """The factors of each search, its cost, and its seconds."""
    kinds = [
        ("longrope2, needles", ["--algorithm", "longrope2", "--fitness", "needle"]),
        ("cma-es, needles", ["--algorithm", "cma-es", "--fitness", "needle", "--evaluations", 60 if quick else 250]),
        ("longrope, perplexity", ["--algorithm", "longrope", "--fitness", "perplexity"]),
        ("cma-es, perplexity", ["--algorithm", "cma-es", "--fitness", "perplexity", "--evaluations", 60 if quick else 250]),
    ]  # fmt: skip
    found = {}
    for name, options in kinds:
        file = place / f"{name.replace(', ', '-')}-{window}.json"
        text, seconds = lrpatch(
            "search", MODEL, "--no-comparison", "--target-length", window, "-o", file, "--part", "1/2", "--documents", 8, "--needles", 48,
            "--needle-prompt", "passkey", "--seed", 1, "--json", "--iterations", 3 if quick else 20, *options,
        )  # fmt: skip
        cost = json.loads(text)["cost"]
        found[name] = (file, cost, seconds)
        print(f"{window} {name}: {seconds:.0f} s", file=sys.stderr, flush=True)
    return found


def with_mscale(file, mscale, place):
    """A copy of the factors with another attention scale."""
    factors = json.load(open(file))
    factors["mscale"] = mscale
    factors.pop("provenance", None)
    copy = place / f"{Path(file).stem}.{mscale}.json"
    json.dump(factors, open(copy, "w"))
    return copy


def compare(window, files, *options):
    text, _ = lrpatch("factors", "compare", MODEL, *files, "--length", window, "--json", *options)
    return json.loads(text)["sets"]


def passkeys(window, file):
    options = [] if file == "none" else ["--factors", file]
    text, _ = lrpatch(
        "verify", MODEL, *options, "--lengths", window, "--depths", PASSKEYS, "--runtime", "paper", "--no-gates", "--seed", 7,
        "--json", "--no-progress")  # fmt: skip
    cells = json.loads(text)["passkeys"]
    return sum(cell["exact"] for cell in cells) / len(cells)


def table(window, place, quick):
    scale = window // 256
    found = searches(window, place, quick)
    critical = json.load(open(found["longrope2, needles"][0]))["provenance"]["critical_pair"]
    forms = [("PI", "pi", []), ("NTK", "ntk", []), ("NTK-theta", "ntk-theta", []), ("YaRN", "yarn", [])]
    forms += [(f"{name} ({critical})", form, ["--critical-dimension", critical]) for name, form in
              [("YaRN-rcd", "yarn-rcd"), ("NTK-rcd", "ntk-rcd"), ("NTK-left", "ntk-left")]]  # fmt: skip
    rows = [("no factors", "none")]
    for name, form, options in forms:
        file = place / f"{form}-{window}.json"
        lrpatch("factors", "make", MODEL, "--method", form, "--target-length", window, "-o", file, "-q", *options)
        rows.append((name, file))
    rows += [(name, file) for name, (file, _, _) in found.items()]
    entries = []
    for name, file in rows:
        for mscale in ["none"] if file == "none" else ["none", "su"]:
            entries.append((name, mscale, file if file == "none" else with_mscale(file, mscale, place)))
    files = [file for _, _, file in entries]
    losses = compare(window, files, "--part", "2/2", "--documents", DOCUMENTS)
    needles = compare(window, files, "--fitness", "needle", "--needle-prompt", "passkey", "--needles", NEEDLES, "--seed", 99)
    lines = [
        f"### {scale} x: {window} tokens", "",
        "| factors | mscale | perplexity | needle perplexity | passkeys |", "|---|---|---|---|---|",
    ]  # fmt: skip
    for (name, mscale, file), loss, needle in zip(entries, losses, needles):
        lines.append(
            f"| {name} | {mscale if file != 'none' else ''} | {loss['perplexity']:.1f} | {needle['perplexity']:.3f} | {100 * passkeys(window, file):.0f} % |")
    lines += ["", *verdicts(entries, files, window, critical), "", *costs(found)]
    return lines


def verdicts(entries, files, window, critical):
    """The table that compares each search with each closed form, all with mscale su."""
    place = {(name, mscale): index for index, (name, mscale, _) in enumerate(entries)}
    closed = [name for name, mscale, file in entries if mscale == "su" and ", " not in name]
    lines = ["Paired differences of the mean log-loss, with 95 % intervals (negative: the search is better), all with mscale su:", "",
             "| | " + " | ".join(closed) + " |", "|---|" + "---|" * len(closed)]  # fmt: skip
    jobs = [
        ("longrope2, needles", "needle"), ("cma-es, needles", "needle"), ("longrope, perplexity", "perplexity"),
        ("cma-es, perplexity", "perplexity"),
    ]  # fmt: skip
    for search, fitness in jobs:
        options = ["--part", "2/2", "--documents", DOCUMENTS] if fitness == "perplexity" else [
            "--fitness", "needle", "--needle-prompt", "passkey", "--needles", NEEDLES, "--seed", 99]  # fmt: skip
        cells = []
        own = files[place[(search, "su")]]
        for name in closed:
            _, second = compare(window, [files[place[(name, "su")]], own], *options)
            cells.append(f"{second['difference']:+.3f} ± {second['difference_half_width']:.3f} {second['verdict']}")
        lines.append(f"| {search} | " + " | ".join(cells) + " |")
    lines += ["", f"The closed forms with a critical pair use the one that `longrope2` found: {critical}."]
    return lines


def costs(found):
    lines = ["| search | candidates | stopped early | tokens | seconds |", "|---|---|---|---|---|"]
    for name, (_, cost, seconds) in found.items():
        lines.append(
            f"| {name} | {cost['evaluations']} | {cost['stopped_early']} | {cost['tokens'] / 1e6:.1f} M | {seconds:.0f} |")
    audited = sum(cost["audited"] for _, cost, _ in found.values())
    wrong = sum(cost["wrongly_stopped"] for _, cost, _ in found.values())
    return lines + ["", f"Of the stopped candidates, {audited} were evaluated to the end to check: {wrong} had been stopped wrongly."]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="run small searches, to try the command")
    quick = parser.parse_args().quick
    lines = [
        "## A model made for tests: needle-256", "",
        "Written by `scripts/results.py`. Factors alone extend needle-256 (fixtures/README.md), which was trained within 256 tokens.",
        f"Perplexity: {DOCUMENTS} documents of the half of Moby-Dick that no search saw. Needle perplexity: exp of the mean loss on the",
        f"answers of {NEEDLES} passkeys, at evenly spread depths, that no search saw. Passkeys: the share of {PASSKEYS} that is found exactly.",
        "Searches ran with mscale su; the rows with none have the same factors without it. Seconds are those of the searches, on",
        "a machine that also did other work.", "",
    ]  # fmt: skip
    with tempfile.TemporaryDirectory() as place:
        for window in [1024] if quick else [1024, 2048]:
            lines += [*table(window, Path(place), quick), ""]
    if quick:
        print("\n".join(lines))
    else:
        results_file.replace("needle-256", lines)


if __name__ == "__main__":
    main()
