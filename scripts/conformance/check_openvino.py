"""Checks the patched folders with OpenVINO: optimum-intel exports each, and the logits of the exported model must be those of
transformers with the tables that `lrpatch inspect` predicts put in by hand, for inputs of several lengths.

Only logits can be seen. They must agree to 1e-3 of the largest, and differ at least ten times as much from those of any other
table. Also shows that keys are kept short when a model grows beyond the original window, that one long sequence makes a batch
long, and that the scheduler of OpenVINO GenAI gives a long prompt in chunks, which mix the tables.
"""

import contextlib
import io
import warnings

import numpy as np
import openvino
import openvino_genai
import openvino_tokenizers
import torch
import transformers
from optimum.intel import OVModelForCausalLM

from common import WORK, Report
from engines import Reference, check_refusal, keeps_short_keys, lengths, one_per_base, other_tables, refuses, table_at

PRECISE = {"INFERENCE_PRECISION_HINT": "f32", "KV_CACHE_PRECISION": "f32"}
# Exporting takes a while, so of the models with a literal mscale only these are checked.
LITERAL = ["llama-v5-literal", "phi3-partial-v5-literal", "phimoe-v5-literal"]
# The model for which the cache, the batch and the pipelines are checked as well, and the trained model, whose original window
# is as long as a chunk by default.
THOROUGH, CHUNKED = "llama-v4-su", "needle-256-x4"


def export(case):
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = OVModelForCausalLM.from_pretrained(case.patched, export=True, ov_config=PRECISE, load_in_8bit=False)
        model.save_pretrained(folder_of(case))
    return model


def folder_of(case):
    return WORK / "openvino" / case.name


def run(model, tokens, past=None, done=0):
    positions = torch.arange(done, done + len(tokens))[None]
    mask = torch.ones(1, done + len(tokens), dtype=torch.int64)
    return model(torch.tensor([tokens]), attention_mask=mask, position_ids=positions, past_key_values=past)


def check_lengths(report, case, model, reference):
    entry = case.inspected()["openvino"]
    for length in lengths(case):
        tokens, table = reference.tokens(length), table_at(entry, length)
        others = [[(length, other)] for other in other_tables(case, table)]
        measured = run(model, tokens).logits[0, -1]
        reference.check(report, f"{length} tokens, {table['table']}, logits", measured, tokens, [(length, table)], others)


def check_cache(report, case, model, reference):
    entry, first = case.inspected()["openvino"], case.original_window - 1
    tokens, past, output = reference.tokens(first + 4), None, None
    for start, end in [(0, first)] + [(first + i, first + i + 1) for i in range(4)]:
        output = run(model, tokens[start:end], past, start)
        past = output.past_key_values
    kept, whole = [(first + 1, entry["short"]), (3, entry["long"])], [(first + 4, entry["long"])]
    passes = kept if keeps_short_keys(entry) else whole
    others = [other for other in [kept, whole, [(first + 4, entry["short"])]] if other is not passes]
    reference.check(report, f"{first} tokens, then 4 one by one", output.logits[0, -1], tokens, passes, others)


def check_batch(report, case, model, reference):
    entry, half = case.inspected()["openvino"], case.original_window
    tokens = reference.tokens(2 * half)
    mask = torch.tensor([[0] * half + [1] * half, [1] * 2 * half])
    batch = torch.tensor([[0] * half + tokens[:half], tokens])
    positions = (mask.cumsum(1) - 1).clamp(min=0)
    measured = model(batch, attention_mask=mask, position_ids=positions).logits[0, -1]
    expected, others = [(half, entry["long"])], [[(half, entry["short"])]]
    reference.check(report, f"{half} tokens beside {2 * half}: long", measured, tokens, expected, others)


def chunks(tokens, size, entry):
    """The passes of a prompt that is given in chunks, each of which decides by its own end."""
    ends = list(range(size, len(tokens), size)) + [len(tokens)]
    return [(end - start, table_at(entry, end)) for start, end in zip([0, *ends], ends)]


def check_scheduler(report, case, reference, sizes):
    """A ContinuousBatchingPipeline gives the log-probability of the token that it generates. The logits of others are not
    seen, so a prompt is taken for which the ways to give it differ enough."""
    entry, length = case.inspected()["openvino"], 2 * case.original_window + 5
    tokenizer = transformers.AutoTokenizer.from_pretrained(case.patched)
    folder = folder_of(case)
    parts = openvino_tokenizers.convert_tokenizer(tokenizer, with_detokenizer=True)
    for part, name in zip(parts, ["tokenizer", "detokenizer"]):
        openvino.save_model(part, folder / f"openvino_{name}.xml")
    tokens = reference.tokens(length)
    for size in sizes:
        scheduler = openvino_genai.SchedulerConfig()
        scheduler.cache_size, scheduler.enable_prefix_caching = 1, False
        if size:
            scheduler.max_num_batched_tokens = size
        pipeline = openvino_genai.ContinuousBatchingPipeline(str(folder), scheduler, "CPU", PRECISE)
        options = openvino_genai.GenerationConfig()
        options.max_new_tokens, options.logprobs, options.ignore_eos = 1, 1, True
        options.apply_chat_template = False
        answer = pipeline.generate([openvino.Tensor(np.array([tokens], np.int64))], [options])[0]
        token = answer.m_generation_ids[0][0]
        passes = chunks(tokens, size or 256, entry)
        whole = [(length, entry["long"])]
        mixed = passes[0][1] is not passes[-1][1]
        what = f"scheduler's chunk {size or '256 by default'}"
        seen = lambda logits: logits.log_softmax(-1)[token : token + 1]
        measured = [answer.m_scores[0]]
        if not mixed:
            others = [[(length, entry["short"])]]
            reference.check(report, f"{what}: all long", measured, tokens, whole, others, seen=seen)
            continue
        found = reference.check(report, f"{what}: mixed", measured, tokens, passes, [whole], seen=seen)
        if not size:
            difference = abs(seen(reference.logits(tokens, whole)).item() - measured[0])
            report.known(case.name, f"{what} mixes the tables", found, f"log-probability off by {difference:.1e}")


def check_case(report, case):
    entry = case.inspected()["openvino"]
    if refuses(entry):
        return check_refusal(report, case, entry, lambda: export(case))
    if entry["long"] is None:
        return
    model, reference = export(case), Reference(case)
    check_lengths(report, case, model, reference)
    if case.name == THOROUGH:
        check_cache(report, case, model, reference)
        check_batch(report, case, model, reference)
        check_scheduler(report, case, reference, [32, 128])
    if case.name == CHUNKED:
        check_scheduler(report, case, reference, [None, 512])


def main():
    transformers.logging.set_verbosity_error()
    report = Report("OpenVINO")
    for case in [case for case in one_per_base() if not case.literal or case.name in LITERAL]:
        try:
            check_case(report, case)
        except Exception as error:
            report.check(case.name, "runs", False, f"{type(error).__name__}: {str(error)[:300]}")
    report.finish()


if __name__ == "__main__":
    main()
