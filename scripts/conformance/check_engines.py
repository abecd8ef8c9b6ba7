"""Checks the patched folders with the rotary modules of vLLM and SGLang, called as those engines' models call them.

Both engines read config.json through transformers 5. What they add to it before they build the module (vLLM's
patch_rope_parameters, the rope_scaling that SGLang's llama.py and granite.py complete) is repeated here in a few lines.
The module rotates a vector of ones and zeros, which gives its cosines and sines. They must equal those computed from the
frequencies and the mscale that `lrpatch inspect` predicts.
"""

import math
import warnings

import torch
import transformers

from common import Report, load_cases
from stubs import import_sglang_get_rope, import_vllm_get_rope


class MiniCPMConfig(transformers.PretrainedConfig):
    """As in MiniCPM's remote code, which the engines run and transformers does not include."""

    model_type = "minicpm"

    def __init__(self, max_position_embeddings=2048, rope_theta=10000.0, rope_scaling=None, **others):
        self.max_position_embeddings = max_position_embeddings
        self.rope_theta = rope_theta
        self.rope_scaling = rope_scaling
        super().__init__(**others)


def load_config(case):
    config = transformers.AutoConfig.from_pretrained(case.patched)
    config.standardize_rope_params()
    config.validate_rope()
    return config


def rotary_head_size(config):
    if config.model_type == "minicpm3":
        return config.qk_rope_head_dim
    return getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads


def cosines_and_sines(rope, positions, head_size, rotary_dimensions):
    """The tables that the module applies: the rotation of (1, ..., 1, 0, ..., 0) gives (cos, sin)."""
    half = rotary_dimensions // 2
    query = torch.zeros(len(positions), head_size)
    query[:, :half] = 1
    rotated, _ = rope(positions, query, query.clone())
    return rotated[:, :half], rotated[:, half:rotary_dimensions]


def check_tables(report, case, what, rope, length, head_size, foretold):
    positions = torch.arange(length)
    frequencies = torch.tensor(foretold["inverse_frequencies"], dtype=torch.float32)
    angles = torch.outer(positions.float(), frequencies)
    measured = cosines_and_sines(rope, positions, head_size, 2 * len(frequencies))
    expected = angles.cos() * foretold["mscale"], angles.sin() * foretold["mscale"]
    # A frequency that differs in its last bit changes the large angles of far positions much more.
    allowed = 1e-5 + 2 * angles * torch.finfo(torch.float32).eps
    differences = [(a - b).abs() for a, b in zip(measured, expected)]
    within = all(bool((difference <= allowed).all()) for difference in differences)
    report.check(case.name, what, within, f"{max(difference.max().item() for difference in differences):.1e}")


def check_vllm(report, case, config, get_rope):
    entry = case.inspected()["vllm"]
    for max_model_len, regime in [(case.original_window, "short"), (case.window, "long")]:
        rope = get_rope(
            max_model_len,
            head_size=rotary_head_size(config),
            max_position=config.max_position_embeddings,
            rope_parameters=config.rope_parameters,
            is_neox_style=True,
        )
        if regime == "short":
            # Served for the original window only, which inspect does not describe: compare with the paper's short side.
            foretold = case.inspected()["paper"]["short"]
            check_tables(report, case, f"served for {max_model_len}", rope, max_model_len, rotary_head_size(config), foretold)
            continue
        for length, side in [(case.original_window, "short"), (case.window, "long")]:
            what = f"served for {max_model_len}, {length} tokens"
            check_tables(report, case, what, rope, length, rotary_head_size(config), entry[side])


def check_sglang(report, case, config, get_rope):
    entry = case.inspected()["sglang"]
    head_size = rotary_head_size(config)
    rope_scaling = dict(config.rope_parameters)
    if getattr(config, "original_max_position_embeddings", None):
        rope_scaling["original_max_position_embeddings"] = config.original_max_position_embeddings
    theta = rope_scaling["rope_theta"]
    rope = get_rope(
        head_size,
        rotary_dim=int((getattr(config, "partial_rotary_factor", None) or 1) * head_size),  # the top-level key alone
        max_position=config.max_position_embeddings,
        base=int(theta) if case.model_type == "phimoe" else theta,
        rope_scaling=rope_scaling,
        is_neox_style=True,
    )
    for length, side in [(case.original_window, "short"), (case.original_window + 2, "long"), (case.window, "long")]:
        check_tables(report, case, f"{length} tokens", rope, length, head_size, entry[side])
    # One token beyond the original window is still "short", and its row of the joined table is the long table's first.
    cosines, _ = cosines_and_sines(rope, torch.arange(case.original_window + 1), head_size, rope.rotary_dim)
    scale = entry["long"]["mscale"]
    last_is_first = math.isclose(cosines[-1].min().item(), scale, rel_tol=1e-6)
    what = f"the last of {case.original_window + 1} tokens"
    report.known(case.name, what, last_is_first, "rotated as position 0, since it asks for a position beyond L0")


def check_refusal(report, case):
    try:
        config = load_config(case)
    except ValueError as error:
        report.known(case.name, "inspect says unsupported", True, str(error)[:120])
    else:
        report.check(case.name, "inspect says unsupported", False, f"its config loads as {type(config).__name__}")


def main():
    transformers.logging.set_verbosity_error()
    warnings.simplefilter("ignore", FutureWarning)  # about rope_scaling in MiniCPM's config class
    transformers.AutoConfig.register("minicpm", MiniCPMConfig)
    engines = [("vLLM", check_vllm, import_vllm_get_rope()), ("SGLang", check_sglang, import_sglang_get_rope())]
    reports = []
    for name, check, get_rope in engines:
        report = Report(name)
        reports.append(report)
        for case in load_cases():
            try:
                if case.inspected()[name.lower()]["status"] == "unsupported":
                    check_refusal(report, case)
                else:
                    check(report, case, load_config(case), get_rope)
            except Exception as error:
                report.check(case.name, "runs", False, f"{type(error).__name__}: {str(error)[:300]}")
    raise SystemExit(1 if any(report.failures for report in reports) else 0)


if __name__ == "__main__":
    main()
