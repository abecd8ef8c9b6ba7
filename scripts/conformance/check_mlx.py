"""Checks the patched folders with MLX-LM on MLX's CPU backend.

The frequencies and the scale inside its RoPE module must equal what `lrpatch inspect` predicts for MLX: the long table at
every length. Its perplexity of the trained model over short and long chunks must equal that of transformers with the long
table as both tables.
"""

import math

import mlx.core as mx
import transformers
from mlx_lm.models.rope_utils import SuScaledRoPE

from chunks import chunk_tokens, perplexity
from common import Report, load_cases, relative_difference
from references import load_with_mlx, mlx_predictions, transformers_predictions


def check_rope_module(report, case, model):
    entry = case.inspected()["mlx"]
    rope = model.model.layers[0].self_attn.rope
    if not report.check(case.name, "its module is SuScaledRoPE", isinstance(rope, SuScaledRoPE), type(rope).__name__):
        return
    frequencies = (1 / rope._freqs).tolist()
    for regime in ["short", "long"]:
        report.close(case.name, f"frequencies, {regime} input", frequencies, entry[regime]["inverse_frequencies"], 1e-6)
        report.close(case.name, f"scale, {regime} input", float(rope._scale), entry[regime]["mscale"], 1e-6)
    short = case.inspected()["paper"]["short"]["inverse_frequencies"]
    other_than_short = relative_difference(frequencies, short) > 0.01
    report.known(case.name, "the long table even for short input", other_than_short, "it never reads short_factor")
    if case.literal and case.model_type != "phimoe":
        difference = abs(rope._scale - case.mscale_value())
        report.known(case.name, "a literal mscale is not expressible", difference > 1e-3, f"it uses {rope._scale:.6f}")
    # The module rotates a vector by its frequencies and multiplies it by its scale.
    x = mx.zeros((1, 1, 2, rope.dim))
    x[..., : rope.dim // 2] = 1
    rotated = rope(x)[0, 0, 1].tolist()
    cosine, sine = rotated[: rope.dim // 2], rotated[rope.dim // 2 :]
    measured = [math.atan2(s, c) for s, c in zip(sine, cosine)]
    report.close(case.name, "the rotation of position 1", measured, entry["long"]["inverse_frequencies"], 1e-5)
    scale = math.hypot(cosine[0], sine[0])
    report.close(case.name, "the length of a rotated pair", scale, entry["long"]["mscale"], 1e-5)


def check_case(report, case):
    entry = case.inspected()["mlx"]
    model = load_with_mlx(case.patched)
    if entry["status"] in ("unsupported", "fails"):
        rope = type(model.model.layers[0].self_attn.rope).__name__
        return report.known(case.name, f"inspect says {entry['status']}", rope == "RoPE", f"its module is {rope}")
    check_rope_module(report, case, model)
    if case.name == "needle-256-x4":
        for length in [case.original_window, case.window]:
            chunks = chunk_tokens(case.base, length)
            always_long = perplexity(transformers_predictions(case, "long"), chunks)
            measured = perplexity(mlx_predictions(model), chunks)
            report.close(case.name, f"perplexity in chunks of {length}", measured, always_long, 1e-3)


def main():
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    mx.set_default_device(mx.cpu)
    report = Report("MLX-LM")
    for case in load_cases():
        try:
            check_case(report, case)
        except Exception as error:
            report.check(case.name, "runs", False, f"{type(error).__name__}: {str(error)[:300]}")
    report.finish()


if __name__ == "__main__":
    main()
