"""Imports the rotary modules of vLLM and SGLang from their wheels, without the rest of the engines.

Only `layers/rotary_embedding` of each is available. Any other module of the two packages becomes an empty stand-in, whose
attributes accept every use. The few that the modules really need are defined here.
"""

import importlib
import importlib.abc
import importlib.machinery
import logging
import sys
from types import ModuleType, SimpleNamespace

import torch

from common import PEERS

ROTARY = PEERS / "rotary"


class Anything:
    """Replaces an imported attribute that is not needed: it may be called or used as a decorator, and is false."""

    def __call__(self, *arguments, **keywords):
        only_a_function = len(arguments) == 1 and not keywords and callable(arguments[0])
        return arguments[0] if only_a_function else self

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __bool__(self):
        return False


class EngineLogger(logging.Logger):
    def warning_once(self, *arguments):
        self.info(*arguments)

    info_once = warning_once


class CustomOp(torch.nn.Module):
    """Replaces the engines' base class of operators; runs the native implementation."""

    def __init__(self, **keywords):
        super().__init__()

    @classmethod
    def register(cls, name, **keywords):
        return lambda operator: operator

    def forward(self, *arguments, **keywords):
        return self.forward_native(*arguments, **keywords)

    @staticmethod
    def enabled():
        return False


class StubFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Provides the modules of `package` that are not among the extracted files."""

    def __init__(self, package, given):
        self.package, self.given = package, given

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] != self.package:
            return None
        location = ROTARY / name.replace(".", "/")
        if location.with_suffix(".py").exists() or (location / "__init__.py").exists():
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        module = ModuleType(spec.name)
        module.__path__ = [str(ROTARY / spec.name.replace(".", "/"))]
        given = self.given.get(spec.name, {})
        module.__getattr__ = lambda name: given[name] if name in given else stand_in(name)
        return module

    def exec_module(self, module):
        pass


def stand_in(name):
    if name.startswith("__"):
        raise AttributeError(name)
    return Anything()


def import_vllm_get_rope():
    """vLLM's get_rope, with the engine's context length as an additional first argument."""
    engine = SimpleNamespace(model_config=SimpleNamespace(max_model_len=None))
    given = {
        "vllm.config": {"get_current_vllm_config": lambda: engine},
        "vllm.logger": {"init_logger": EngineLogger},
        "vllm.model_executor.custom_op": {"CustomOp": CustomOp, "PluggableLayer": CustomOp},
    }
    sys.meta_path.insert(0, StubFinder("vllm", given))
    sys.path.insert(0, str(ROTARY))
    rotary_embedding = importlib.import_module("vllm.model_executor.layers.rotary_embedding")

    def get_rope(max_model_len, **arguments):
        engine.model_config.max_model_len = max_model_len
        rotary_embedding._ROPE_DICT.clear()
        return rotary_embedding.get_rope(**arguments)

    return get_rope


def import_sglang_get_rope():
    given = {"sglang.kernels.fused_op": {"BaseFusedOp": CustomOp}, "sglang.srt.utils": {"get_device": lambda: "cpu"}}
    for name in ["is_cuda", "is_hip", "is_mps", "is_musa", "is_npu", "is_xpu", "cpu_has_amx_support", "get_bool_env_var"]:
        given["sglang.srt.utils"][name] = lambda *arguments: False
    given["sglang.srt.utils"]["is_cpu"] = lambda: True
    given["sglang.srt.runtime_context"] = {"publish_role": lambda: None}
    sys.meta_path.insert(0, StubFinder("sglang", given))
    sys.path.insert(0, str(ROTARY))
    return importlib.import_module("sglang.srt.layers.rotary_embedding.factory").get_rope
