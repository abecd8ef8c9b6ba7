"""Checks the patched folders with transformers: 5 as installed, 4 when it comes first on PYTHONPATH.

Each model must load without an unexplained message about RoPE. The frequencies and the scale that its rotary module really
applies must equal those that `lrpatch inspect` predicts, on both sides of the original window. The losses must equal those
of the unpatched weights with a config whose RoPE parameters are set by hand here.
"""

import inspect as python_inspect
import logging
import re
import warnings
from contextlib import contextmanager

import torch
import transformers

from common import Report, load_cases, regimes

MAJOR = int(transformers.__version__.split(".")[0])
RUNTIME = "hf" if MAJOR >= 5 else "hf4"

MSCALES = "vLLM and SGLang read short_mscale and long_mscale, and phimoe requires them; transformers has attention_factor"

# The messages about RoPE that a patched model may cause: (major version, pattern, model types, reason).
EXPLAINED = [
    (5, r"has set a `rope_parameters\['original_max_position_embeddings'\]` field", {"phi3"},
     "`factor` is missing, since transformers 4 lets Phi-3's rope_scaling have no other key than type and the two lists"),
    (5, r"Unrecognized keys in `rope_parameters` .*: {('(short|long)_mscale'(, )?)+}", None,
     MSCALES),
    (4, r"Unrecognized keys in `rope_scaling` .*: {('(short|long)_mscale'(, )?)+}", None,
     MSCALES),
    (4, r"has set a `original_max_position_embeddings` field", {"granite", "phimoe"},
     "a top-level original window always brings it up where the config class validates late, and nothing else is read"),
]  # fmt: skip


@contextmanager
def messages_about_rope(found):
    """Collects what transformers logs and warns about RoPE, each message once."""

    class Handler(logging.Handler):
        def emit(self, record):
            found.append(record.getMessage())

    logger, handler = logging.getLogger("transformers"), Handler()
    logger.addHandler(handler)
    transformers.utils.logging.warning_once.cache_clear()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    logger.removeHandler(handler)
    found += [str(warning.message) for warning in caught]
    found[:] = [text for text in dict.fromkeys(found) if re.search(r"rope|rotary|original_max_position", text, re.IGNORECASE)]


def load(folder, config=None):
    model, info = transformers.AutoModelForCausalLM.from_pretrained(
        folder, config=config, dtype=torch.float32, output_loading_info=True
    )
    assert not info["missing_keys"] and not info["unexpected_keys"], info
    return model.eval()


def applied_rotation(model, length):
    """The inverse frequencies and the scale that the rotary module applies to an input of `length` tokens.

    They are read off the cosine and sine of position 1, so that nothing inside the module is trusted.
    """
    rotary = model.model.rotary_emb
    x = torch.zeros(1, length, 1)
    if "seq_len" in python_inspect.signature(rotary.forward).parameters:  # phimoe of transformers 4, called as its model does
        cosine, sine = (table[1].double() for table in rotary(x, seq_len=torch.tensor(length)))
    else:
        cosine, sine = (table[0, 1].double() for table in rotary(x, torch.arange(length)[None]))
    half = len(cosine) // 2
    scale = torch.hypot(cosine, sine).mean().item()
    return torch.atan2(sine, cosine)[:half].tolist(), scale


def config_by_hand(case):
    """The unpatched model's config with LongRoPE's parameters, as the paper and transformers' documentation define them."""
    config = transformers.AutoConfig.from_pretrained(case.base)
    factors = case.factor_lists()
    rope = {
        "rope_type": "longrope",
        "short_factor": factors["short_factor"],
        "long_factor": factors["long_factor"],
        "attention_factor": case.mscale_value(),
        "original_max_position_embeddings": case.original_window,
    }
    if case.model_type == "phimoe":
        rope |= {"short_mscale": case.mscale_value(), "long_mscale": case.mscale_value()}
    config.original_max_position_embeddings = case.original_window
    config.max_position_embeddings = case.window
    config.rope_theta = case.theta
    if case.model_type in ("mistral", "phi3"):
        config.sliding_window = None
    if case.partial_rotary_factor != 1.0:
        config.partial_rotary_factor = case.partial_rotary_factor
    if MAJOR >= 5:
        config.rope_parameters = rope | {"rope_theta": case.theta, "partial_rotary_factor": case.partial_rotary_factor}
    else:
        config.head_dim = case.head_size
        config.rope_scaling = rope
    return config


def loss(model, length):
    tokens = torch.randint(2, 1024, (1, length), generator=torch.Generator().manual_seed(length))
    with torch.no_grad():
        return model(input_ids=tokens, labels=tokens, use_cache=False).loss.item()


def check_messages(report, case, messages):
    for text in messages:
        reasons = [
            reason
            for major, pattern, types, reason in EXPLAINED
            if major == MAJOR and re.search(pattern, text) and (types is None or case.model_type in types)
        ]
        if reasons:
            report.known(case.name, "an explained message", True, reasons[0])
        else:
            report.check(case.name, "no unexplained message", False, text[:300])


def check_refusal(report, case, entry):
    try:
        model = load(case.patched)
    except (ValueError, KeyError, TypeError) as error:
        report.known(case.name, f"inspect says {entry['status']}", True, f"{type(error).__name__}: {str(error)[:150]}")
    else:
        report.check(case.name, f"inspect says {entry['status']}", False, f"it loads as {type(model).__name__}")


def check_case(report, case):
    entry = case.inspected()[RUNTIME]
    if entry["status"] in ("unsupported", "fails"):
        return check_refusal(report, case, entry)
    messages = []
    with messages_about_rope(messages):
        model = load(case.patched)
        model(input_ids=torch.arange(2, 2 + case.original_window + 1)[None])
    check_messages(report, case, messages)

    for regime, length in regimes(case):
        foretold = entry[regime]
        frequencies, scale = applied_rotation(model, length)
        report.close(case.name, f"frequencies of {length} tokens", frequencies, foretold["inverse_frequencies"], 1e-6)
        report.close(case.name, f"scale of {length} tokens", scale, foretold["mscale"], 1e-6)
    if case.model_type == "phimoe" and RUNTIME == "hf":
        still_so = applied_rotation(model, case.window)[0] == applied_rotation(model, 8)[0]
        report.known(case.name, "the short table at every length", still_so, "its rotary module does not pass the length on")

    by_hand = load(case.base, config_by_hand(case))
    unpatched = load(case.base)
    for length in [case.original_window, case.window]:
        patched_loss = loss(model, length)
        report.close(case.name, f"loss of {length} tokens", patched_loss, loss(by_hand, length), 1e-6)
        difference = abs(loss(unpatched, length) - patched_loss)
        report.check(case.name, f"patching shows in the loss of {length} tokens", difference > 1e-4, f"{difference:.1e}")


def main():
    torch.set_num_threads(2)
    transformers.utils.logging.disable_progress_bar()
    transformers.logging.set_verbosity_warning()
    logger = logging.getLogger("transformers")
    logger.handlers.clear()
    logger.propagate = False
    report = Report(f"transformers {MAJOR}")
    for case in load_cases():
        try:
            check_case(report, case)
        except Exception as error:  # one broken model must not hide the others
            report.check(case.name, "runs", False, f"{type(error).__name__}: {str(error)[:300]}")
    report.finish()


if __name__ == "__main__":
    main()
