"""Checks the patched folders with CTranslate2, whose converter must fail for each with the message of `lrpatch inspect`.

For Phi-3 it fails since transformers has its rotary module elsewhere than it looks. With the factors supplied by hand, its
engine shows what such a model would do, by its logits: those of transformers to 1e-3 of the largest.
"""

from types import SimpleNamespace

import ctranslate2
import numpy as np
import transformers
from ctranslate2.converters import TransformersConverter
from ctranslate2.converters.transformers import Phi3Loader

from common import WORK, Report
from engines import Reference, check_refusal, copy_with_words, one_per_base, other_tables, refuses

FOLDER = WORK / "ctranslate2"
SUPPLIED = "phi3-v4-su"


def convert(model, out):
    TransformersConverter(str(model)).convert(str(out), force=True)
    return out


def convert_with_factors(case):
    """As the converter would if transformers still had the factors in every attention layer."""
    original, lists = Phi3Loader.get_model_spec, case.factor_lists()
    module = SimpleNamespace(long_factor=lists["long_factor"], short_factor=lists["short_factor"])

    def get_model_spec(loader, model):
        for layer in model.model.layers:
            layer.self_attn.rotary_emb = module
        return original(loader, model)

    folder = FOLDER / f"{case.name}-words"
    copy_with_words(case.patched, folder)
    Phi3Loader.get_model_spec = get_model_spec
    try:
        return convert(folder, FOLDER / f"{case.name}-supplied")
    finally:
        Phi3Loader.get_model_spec = original


def check_engine(report, case):
    """It builds a table of 2048 positions at first, so a shorter original window is never served with the short factors.
    The converter reads theta where transformers 5 has none, and so takes 10000."""
    reference, length, lists = Reference(case), case.original_window // 2, case.factor_lists()
    tokens = reference.tokens(length)
    engine = ctranslate2.Generator(str(convert_with_factors(case)), device="cpu")
    measured = np.array(engine.forward_batch([[f"w{token}" for token in tokens]]))[0, -1]

    def table(factors):
        frequencies = [10000.0 ** (-i / len(factors)) / factor for i, factor in enumerate(factors)]
        return {"inverse_frequencies": frequencies, "mscale": case.mscale_value()}

    used, short = table(lists["long_factor"]), table(lists["short_factor"])
    others = [[(length, other)] for other in [short, *other_tables(case, used)]]
    what = f"with factors by hand, {length} tokens"
    found = reference.check(report, f"{what}: long, theta 10000", measured, tokens, [(length, used)], others)
    report.known(case.name, what, found, "long within the original window, and theta is lost")


def check_case(report, case):
    entry = case.inspected()["ctranslate2"]
    if not refuses(entry):
        if entry["long"]:
            report.check(case.name, "its converter fails", False, "inspect gives its tables")
        return
    failed = check_refusal(report, case, entry, lambda: convert(case.patched, FOLDER / case.name))
    if case.name == SUPPLIED:
        report.known(case.name, "its converter fails", failed, "transformers has the rotary module elsewhere")
        check_engine(report, case)


def main():
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    FOLDER.mkdir()
    report = Report("CTranslate2")
    for case in one_per_base():
        try:
            check_case(report, case)
        except Exception as error:
            report.check(case.name, "runs", False, f"{type(error).__name__}: {str(error)[:300]}")
    report.finish()


if __name__ == "__main__":
    main()
