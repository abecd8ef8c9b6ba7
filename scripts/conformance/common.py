"""What the conformance checks share: the report's lines, the program under test, the cases, small numeric helpers.

Every check prints one line: the verdict, the runtime, the case, what was compared, and the measured difference. The verdict
is `ok`, `FAIL`, or `known`: a runtime is wrong or cannot express something, and the check shows that this is still so.
"""

import json
import math
import os
import re
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent
FIXTURES = REPOSITORY / "fixtures"
NEEDLE = FIXTURES / "models/needle-256"
TEXT = FIXTURES / "text/moby-dick-opening.txt"
PEERS = Path(os.environ.get("LRPATCH_PEERS", Path.home() / ".cache/lrpatch-peers"))
LRPATCH = os.environ.get("LRPATCH", str(REPOSITORY / ".build/release/lrpatch"))
# The folder that holds the models made and patched by this run.
WORK = Path(os.environ["CONFORMANCE_WORK"])


class Report:
    """Prints the checks of one runtime and remembers whether any failed."""

    def __init__(self, runtime):
        self.runtime = runtime
        self.failures = 0

    def line(self, verdict, case, what, detail=""):
        print(f"{verdict:<5} {self.runtime:<14} {case:<24} {what}{': ' if detail else ''}{detail}", flush=True)
        self.failures += verdict == "FAIL"

    def check(self, case, what, passed, detail=""):
        self.line("ok" if passed else "FAIL", case, what, detail)
        return passed

    def close(self, case, what, measured, expected, tolerance):
        """Relative difference of numbers, or the worst of lists."""
        difference = relative_difference(measured, expected)
        return self.check(case, what, difference <= tolerance, f"{difference:.1e}")

    def known(self, case, what, still_so, detail):
        """Reports a known limit of the runtime; fails if the check no longer shows it."""
        self.line("known" if still_so else "FAIL", case, what, detail if still_so else f"no longer so: {detail}")

    def finish(self):
        sys.exit(1 if self.failures else 0)


def relative_difference(measured, expected):
    if not isinstance(expected, list):
        measured, expected = [measured], [expected]
    if len(measured) != len(expected):
        return math.inf
    pairs = zip(measured, expected)
    worst = max((abs(a - b) / abs(b) if b else abs(a) for a, b in pairs), default=0.0)
    return math.inf if math.isnan(worst) else worst


def lrpatch(*arguments):
    return subprocess.run([LRPATCH, *map(str, arguments)], capture_output=True, text=True)


def llama_perplexity(model, context, chunks, *options):
    """llama.cpp's perplexity of the first chunks of the text."""
    command = [PEERS / "llama.cpp/bin/llama-perplexity", "-m", model, "-f", TEXT, "-c", context, "--chunks", chunks, "-t", 2, *options]
    # llama.cpp's logger may lose the last lines when it exits: with tiny models on a busy machine, most times.
    for _ in range(100):
        result = subprocess.run([str(part) for part in command], capture_output=True, text=True, errors="replace")
        output = result.stdout + result.stderr
        if result.returncode:
            raise RuntimeError(f"llama-perplexity: exit {result.returncode}: {output[-300:]}")
        if estimate := re.search(r"Final estimate: PPL = ([0-9.]+) ", output):
            return float(estimate[1])
    raise RuntimeError("llama-perplexity printed no final estimate")


def inspect(model):
    result = lrpatch("inspect", model, "--json")
    if result.returncode:
        raise RuntimeError(f"lrpatch inspect {model}: exit {result.returncode}: {result.stderr.strip()}")
    return json.loads(result.stdout)


@dataclass
class Case:
    """A base model, the factors for it, and the model that lrpatch made from both."""

    name: str  # base and mscale, such as llama-v4-su
    base: str
    model_type: str
    original_window: int
    window: int
    theta: float
    head_size: int  # of a head, or of its RoPE part with latent attention
    partial_rotary_factor: float
    mscale: str  # "su" or "literal"
    factors: str = ""
    patched: str = ""

    def factor_lists(self):
        return json.load(open(self.factors))

    @property
    def literal(self):
        return self.mscale == "literal"

    def inspected(self):
        """The saved `inspect --json` of the patched model, by runtime; see patch_models.py."""
        return {entry["runtime"]: entry for entry in json.load(open(self.patched + ".inspect.json"))["runtimes"]}

    def mscale_value(self):
        """The attention scale that the factors ask for, computed here and not by lrpatch."""
        mscale = self.factor_lists()["mscale"]
        if mscale != "su":
            return mscale["long"]
        return math.sqrt(1 + math.log(self.window / self.original_window) / math.log(self.original_window))


def save_cases(cases, file):
    json.dump([asdict(case) for case in cases], open(WORK / file, "w"), indent=1)


def load_cases(file="cases.json"):
    return [Case(**case) for case in json.load(open(WORK / file))]


def regimes(case):
    """(name, length) of an input just within and one just beyond the original window, and one that fills the window."""
    return [("short", case.original_window), ("long", case.original_window + 1), ("long", case.window)]
