"""Checks the patched folders with the rotary modules of LMDeploy's PyTorch engine, built from the config as its models
build them, and with the config parser of its other engine, TurboMind.

The rest of the engine cannot be imported without a GPU; its modules become empty stand-ins. The module's cosines and sines
of position 1 give its frequencies and its scale, which must equal what `lrpatch inspect` predicts for inputs of several
lengths. Chunks of a prompt, which lack that position, are compared as cosines and sines.
"""

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from types import ModuleType, SimpleNamespace

import torch
import transformers

from common import Report
from engines import check_refusal, lengths, one_per_base, refuses, table_at

ROTARY, PHIMOE = "lmdeploy.pytorch.nn.rotary_embedding", "lmdeploy.pytorch.models.phi3_moe"
DEFAULT_BACKEND = "lmdeploy.pytorch.backends.default.rotary_embedding"
TURBOMIND = "lmdeploy.turbomind.models.utils"
BACKENDS = [f"lmdeploy.pytorch.backends.{name}" for name in ["apply_rotary_emb", "base", "rotary_embedding"]]
REAL = [ROTARY, PHIMOE, DEFAULT_BACKEND, TURBOMIND, *BACKENDS]
TOLERANCE = 1e-5  # relative, of a frequency or the scale


class Anything:
    """Replaces whatever a stand-in of a module is asked for: a class or a base class."""

    def __init__(self, *arguments, **keywords):
        pass


class StubFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Provides every module of LMDeploy but the real ones, without running the package's own initialization."""

    def __init__(self):
        self.root = importlib.util.find_spec("lmdeploy").submodule_search_locations[0]

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "lmdeploy" and name not in REAL:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        module = ModuleType(spec.name)
        module.__path__ = [self.root + spec.name.removeprefix("lmdeploy").replace(".", "/")]
        module.__getattr__ = lambda name: stand_in(spec.name, name)
        return module

    def exec_module(self, module):
        pass


def stand_in(module, name):
    if name.startswith("__"):
        raise AttributeError(name)
    rotary = sys.modules.get(ROTARY)
    if module == "lmdeploy.pytorch.nn" and hasattr(rotary, name):
        return getattr(rotary, name)
    given = {"get_backend": backend, "get_build_model_context": lambda: SimpleNamespace(enable_deterministic=False)}
    return given.get(name) or type(name, (Anything,), {})


def backend():
    return SimpleNamespace(build_op=lambda spec, **options: sys.modules[DEFAULT_BACKEND]._build_rotary_embedding(spec))


def import_engine():
    sys.meta_path.insert(0, StubFinder())
    default, rotary, phimoe, turbomind = [
        importlib.import_module(name) for name in (DEFAULT_BACKEND, ROTARY, PHIMOE, TURBOMIND)
    ]
    # Without torch.compile, whose first call takes long.
    default._rotary_embedding_fwd = default._rotary_embedding_fwd.__wrapped__
    return rotary, phimoe, turbomind


def rotary_module(case, config, rotary, phimoe):
    """As the engine's model of this family builds it; only phimoe's does so by itself."""
    if case.model_type == "phimoe":
        config.num_hidden_layers = 0
        return phimoe.PhiMoEModel(config).rotary_emb
    return rotary.build_rotary_embedding_from_config(config)


def cosines_and_sines(rope, positions):
    cosines, sines = rope(torch.zeros(1), torch.tensor([positions]))
    half = cosines.shape[-1] // 2
    return cosines[0, :, :half].double(), sines[0, :, :half].double()


def check_input(report, case, rope, what, positions, table):
    cosines, sines = cosines_and_sines(rope, positions)
    if 1 in positions:
        cosine, sine = cosines[positions.index(1)], sines[positions.index(1)]
        frequencies = torch.atan2(sine, cosine).tolist()
        report.close(case.name, f"{what}, frequencies", frequencies, table["inverse_frequencies"], TOLERANCE)
        report.close(case.name, f"{what}, scale", torch.hypot(cosine, sine).max().item(), table["mscale"], TOLERANCE)
        return
    angles = torch.outer(torch.tensor(positions).double(), torch.tensor(table["inverse_frequencies"]).double())
    expected = torch.stack([angles.cos(), angles.sin()]) * table["mscale"]
    # A frequency that differs in its last bit changes the large angles of far positions much more.
    allowed = TOLERANCE + 2 * angles * torch.finfo(torch.float32).eps
    difference = (torch.stack([cosines, sines]) - expected).abs()
    report.check(case.name, what, bool((difference <= allowed).all()), f"{difference.max().item():.1e}")


def check_case(report, case, engine):
    rotary, phimoe, turbomind = engine
    entry, original = case.inspected()["lmdeploy"], case.original_window
    if entry["long"] is None and not refuses(entry):
        return
    config = transformers.AutoConfig.from_pretrained(case.patched)
    if refuses(entry):
        return check_refusal(report, case, entry, lambda: rotary_module(case, config, rotary, phimoe))
    rope = rotary_module(case, config, rotary, phimoe)
    for length in lengths(case):
        check_input(report, case, rope, f"{length} tokens", list(range(length)), table_at(entry, length))
    packed = list(range(10)) + list(range(original + 1))
    check_input(report, case, rope, f"10 tokens beside {original + 1}", packed, table_at(entry, original + 1))
    # Each chunk of a long prompt decides by its own end.
    for start, end in [(16, original), (16, original + 8)]:
        check_input(report, case, rope, f"chunk {start}-{end - 1}", list(range(start, end)), table_at(entry, end))
    if case.literal and case.model_type != "phimoe":
        measured = cosines_and_sines(rope, [0])[0].max().item()
        ignored = abs(measured - case.mscale_value()) > 1e-3
        report.known(case.name, "a literal mscale is not expressible", ignored, f"it uses {measured:.6f}")
    if case.name == "llama-v4-su":
        check_turbomind(report, case, config, turbomind)


def check_turbomind(report, case, config, turbomind):
    try:
        turbomind.parse_rope_param(config, case.head_size)
    except RuntimeError as error:
        report.known(case.name, "TurboMind refuses", "Unsupported rope type: longrope" in str(error), str(error))
    else:
        report.known(case.name, "TurboMind refuses", False, "it accepts longrope")


def main():
    transformers.logging.set_verbosity_error()
    report = Report("LMDeploy")
    engine = import_engine()
    for case in one_per_base():
        try:
            check_case(report, case, engine)
        except Exception as error:
            report.check(case.name, "runs", False, f"{type(error).__name__}: {str(error)[:300]}")
    report.finish()


if __name__ == "__main__":
    main()
