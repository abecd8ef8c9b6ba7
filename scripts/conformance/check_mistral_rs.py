"""Checks the patched folders and GGUF files with mistral.rs: the log-probabilities of the ten most likely next tokens must be
those of transformers with the tables that `lrpatch inspect` predicts put in by hand, for prompts of several lengths.

Only these are seen: they must agree to 1e-3 of the largest, and differ ten times as much from those of any other table.
Prompts are given as text, so the models get a tokenizer whose words are its tokens. Also shows that the long table is taken
one token early, that keys are then kept short, and that literal mscales are ignored in folders. Models that inspect says fail
must fail with that message.
"""

import json
import os
import shutil
import subprocess

# Before it starts: no log, and keys cached in single precision.
os.environ |= {"RUST_LOG": "off", "MISTRALRS_CPU_KV_F32": "1"}

import mistralrs
import transformers
from safetensors.torch import load_file, save_file

from common import PEERS, REPOSITORY, WORK, Report, inspect, load_cases, lrpatch
from engines import (
    Reference,
    check_refusal,
    copy_with_words,
    keeps_short_keys,
    lengths,
    one_per_base,
    other_tables,
    refuses,
    table_at,
)

FOLDER = WORK / "mistral.rs"
GGUF_FAMILIES = ["phi3", "phimoe", "llama", "granite"]
# What the engine says, by what inspect says; anything else must be said in the same words.
SAYS = {
    "its config for this architecture cannot represent the scaling of the file": [
        "config cannot represent GGUF RoPE scaling type `longrope`", "config cannot reconstruct this GGUF's RoPE scaling",
    ],
}  # fmt: skip


def silence_experts(folder):
    """mistral.rs routes tokens to other experts than transformers does, at every position; so they add nothing here."""
    weights = load_file(folder / "model.safetensors")
    for name, weight in weights.items():
        if ".experts." in name and name.endswith(".w2.weight"):
            weight.zero_()
    (folder / "model.safetensors").unlink()
    save_file(weights, folder / "model.safetensors", {"format": "pt"})


def runner(which):
    return mistralrs.Runner(which=which, no_paged_attn=True, prefix_cache_n=0, token_source="none", max_seqs=1)


def prepare(model, folder):
    copy_with_words(model, folder)
    if json.load(open(folder / "config.json"))["model_type"] == "phimoe":
        silence_experts(folder)
    return folder


def load_folder(folder):
    return runner(mistralrs.Which.Plain(model_id=str(folder), dtype=mistralrs.ModelDType.F32))


def load_gguf(folder, file):
    """With the tokenizer of the folder, whose config.json would count more than the file's metadata and is removed."""
    (folder / "config.json").unlink()
    shutil.move(file, folder / "model.gguf")
    names = {"quantized_model_id": str(folder), "quantized_filename": "model.gguf", "tok_model_id": str(folder)}
    return runner(mistralrs.Which.GGUF(**names))


def ask(engine, tokens, count=1):
    """The ten most likely tokens, with their log-probabilities, after the prompt and after each token that is generated."""
    message = {"role": "user", "content": " ".join(f"w{token}" for token in tokens)}
    request = mistralrs.ChatCompletionRequest(
        messages=[message], model="default", logprobs=True, top_logprobs=10, max_tokens=count, temperature=0.0
    )
    answer = engine.send_chat_completion_request(request)
    if answer.usage.prompt_tokens != len(tokens):
        raise RuntimeError(f"{len(tokens)} words are {answer.usage.prompt_tokens} tokens")
    return [{int(top.token): top.logprob for top in step.top_logprobs} for step in answer.choices[0].logprobs.content]


def compare(report, what, reference, step, tokens, passes, others):
    tops = list(step)
    seen = lambda logits: logits.log_softmax(-1)[tops]
    return reference.check(report, what, list(step.values()), tokens, passes, others, seen=seen)


def check_lengths(report, case, engine, reference, entry):
    for length in lengths(case):
        tokens, table = reference.tokens(length), table_at(entry, length)
        others = [[(length, other)] for other in other_tables(case, table)]
        step = ask(engine, tokens)[0]
        found = compare(report, f"{length} tokens, {table['table']}", reference, step, tokens, [(length, table)], others)
        if length == case.original_window and table["table"] == "long":
            report.known(case.name, f"{length} tokens, the original window", found, "long, one token too early")


def check_cache(report, case, engine, reference, entry):
    """The token generated after L0 - 1 tokens is in the first pass with the long table, over keys of the short one."""
    first = case.original_window - 1
    tokens = reference.tokens(first)
    steps = ask(engine, tokens, 2)
    tokens = [*tokens, max(steps[0], key=steps[0].get)]
    kept, whole = [(first, entry["short"]), (1, entry["long"])], [(first + 1, entry["long"])]
    passes = kept if keeps_short_keys(entry) else whole
    others = [other for other in [kept, whole, [(first + 1, entry["short"])]] if other is not passes]
    compare(report, f"{first} tokens and 1 generated", reference, steps[1], tokens, passes, others)


def check_model(report, case, entry, load, reference):
    if refuses(entry):
        return check_refusal(report, case, entry, load, SAYS)
    if entry["long"] is None:
        return
    engine = load()
    check_lengths(report, case, engine, reference, entry)
    if entry["status"] == "ignored":
        return
    check_cache(report, case, engine, reference, entry)
    if case.literal and abs(entry["long"]["mscale"] - case.mscale_value()) > 1e-3:
        # The lengths have shown that the predicted scale is the one in use.
        report.known(case.name, "a literal mscale is ignored", True, f"it uses {entry['long']['mscale']:.6f}")


def check_folder(report, case):
    folder = prepare(case.patched, FOLDER / case.name)
    entry = case.inspected()["mistral.rs"]
    reference = Reference(case, folder) if entry["short"] else None
    check_model(report, case, entry, lambda: load_folder(folder), reference)


def convert(case):
    """The folder and the file of a model that llama.cpp's converter made and lrpatch patched in place."""
    folder, file = FOLDER / case.name, FOLDER / f"{case.name}.gguf"
    prepare(case.base, folder)
    options = ["--outfile", file, "--outtype", "f32", "--model-name", "conformance"]
    command = [PEERS / "venv/bin/python", REPOSITORY / "scripts/hf_to_gguf.py", folder, *options]
    subprocess.run([str(part) for part in command], check=True, capture_output=True)
    result = lrpatch("apply", case.factors, file, *(["--allow-divergent"] if case.literal else []))
    if result.returncode:
        raise RuntimeError(f"lrpatch apply: {result.stderr.strip()[:300]}")
    return folder, file


def check_gguf(report, case):
    folder, file = convert(case)
    entry = {entry["runtime"]: entry for entry in inspect(file)["runtimes"]}["mistral.rs"]
    # The patch makes a sliding window the whole one.
    config = json.load(open(folder / "config.json"))
    (folder / "config.json").write_text(json.dumps(config | {"sliding_window": None}))
    reference = Reference(case, folder)
    case.name += ".gguf"
    check_model(report, case, entry, lambda: load_gguf(folder, file), reference)


def main():
    transformers.logging.set_verbosity_error()
    FOLDER.mkdir()
    report = Report("mistral.rs")
    ggufs = [case for case in load_cases("gguf.json") if case.model_type in GGUF_FAMILIES and "needle" not in case.name]
    ggufs = [case for case in ggufs if case.name == "phi3-256-literal" or not case.literal]
    checks = [(check_folder, case) for case in one_per_base()] + [(check_gguf, case) for case in ggufs]
    for check, case in checks:
        try:
            check(report, case)
        except Exception as error:
            report.check(case.name, "runs", False, f"{type(error).__name__}: {str(error)[:300]}")
    report.finish()


if __name__ == "__main__":
    main()
