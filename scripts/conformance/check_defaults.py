"""Checks what a model means that leaves something out, turns it off with 0, or contradicts itself.

Each model is a tiny one of fixtures/architectures with something changed: a key or a member is removed or set, a tensor
is added, dropped, or stored otherwise. A runtime computes the perplexity of a text with the changed model, or refuses
the model. `lrpatch verify` as that runtime must give the same number, or refuse the model by name with exit code 3. So
must `lrpatch convert`: the runtime of the other format loads what it writes, and gives the same number.

- Multipliers of granite and minicpm that are absent or 0, in GGUF files (llama.cpp) and folders (transformers, MLX-LM).
- Sliding windows: max_window_layers, layer_types, a window that is absent, null or 0; MLX-LM, which ignores windows.
- The output matrix: tie_word_embeddings true, false, absent or null, with and without a matrix of its own.
- Other absent keys and members: theta, the sizes of heads, the token that begins a text.
- Biases: those that a class of transformers or llama.cpp's loader has, and those that it lacks.
- Models that a runtime refuses, and models that lrpatch refuses although a runtime computes them (`known`, with the
  reason).
- What convert and apply write of every model of fixtures/architectures is loaded by llama.cpp.
"""

import functools
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field

from check_convert import convert_with_llama_cpp  # before gguf, because it comes with a newer one

import gguf
import mlx.core as mx
import numpy as np
import torch
import transformers
from gguf import GGUFValueType as Kind
from safetensors.torch import load_file, save_file

from chunks import chunk_tokens, perplexity
from common import FIXTURES, PEERS, TEXT, WORK, Report, lrpatch, relative_difference
from references import load_with_mlx, mlx_predictions

FOLDER = WORK / "defaults"
MODELS = FIXTURES / "architectures"
LENGTH, WINDOWS = 64, 4  # tokens in a chunk, and chunks of the text; of a longer length there is one chunk
TOLERANCE = 1e-5  # relative; with single precision on both sides they agree to about 1e-7
SHOWN = 10 * TOLERANCE  # by how much a change must change the perplexity to show
REFUSED = 3  # lrpatch's exit code for a model that it does not support
ABSENT = object()
FULL, SLIDING = "full_attention", "sliding_attention"

REPORTS = {
    "llama.cpp": Report("llama.cpp"), "hf": Report("transformers 5"), "hf4": Report("transformers 4"),
    "mlx": Report("MLX-LM"), "convert": Report("convert"),
}  # fmt: skip
OF_FOLDERS = ["hf", "hf4", "mlx"]


# The runtimes, and lrpatch


@dataclass
class Answer:
    """What a program makes of a model: a perplexity, or why it refuses."""

    perplexity: float | None = None
    refusal: str = ""
    exit_code: int = 0
    unread: str = ""  # tensors that transformers did not read, although it runs the model

    def __str__(self):
        return f"refused ({self.refusal[:160]})" if self.perplexity is None else f"{self.perplexity:.4f}"


def one_line(text):
    return " ".join(text.replace(f"{FOLDER}/", "").replace(f"{MODELS}/", "").split())


@functools.cache
def chunks(length):
    return chunk_tokens(MODELS / "llama", length)[: WINDOWS if length == LENGTH else 1]


def by_llama_cpp(file, length=LENGTH):
    same = ["-c", length, "-b", length, "-ub", length, "--chunks", WINDOWS, "-t", 1]
    precise = ["-fa", "off", "-ctk", "f32", "-ctv", "f32"]
    command = [PEERS / "llama.cpp/bin/llama-perplexity", "-m", file, "-f", TEXT, *same, *precise]
    for attempt in range(20):  # on a busy machine, llama.cpp's logger may lose the last lines when it exits
        result = subprocess.run(list(map(str, command)), capture_output=True, text=True, errors="replace")
        output = result.stdout + result.stderr
        if result.returncode:
            reason = re.search(r"(?:error loading model: (?:error loading model \w+: )?|GGML_ASSERT)(.*)", output)
            if reason or attempt == 3:
                return Answer(refusal=one_line(reason[1]) if reason else f"exit {result.returncode}")
        elif estimate := re.search(r"Final estimate: PPL = (\S+) ", output):
            return Answer(float(estimate[1]))
    raise RuntimeError("llama-perplexity printed no final estimate")


def by_transformers(folder, length=LENGTH):
    """The answer of this process's transformers. A weight that it makes up is a refusal."""
    try:
        model, info = transformers.AutoModelForCausalLM.from_pretrained(
            folder, dtype=torch.float32, attn_implementation="eager", output_loading_info=True
        )
        if missing := sorted(name for name in info["missing_keys"] if not name.endswith(".bias")):
            return Answer(refusal=f"it makes up {missing[0]}")

        def predict(tokens):
            with torch.no_grad():
                return model.eval()(torch.tensor(tokens)[None], use_cache=False).logits[0].log_softmax(-1)

        return Answer(perplexity(predict, chunks(length)), unread=", ".join(sorted(info["unexpected_keys"])))
    except Exception as error:
        return Answer(refusal=one_line(f"{type(error).__name__}: {error}"))


class Transformers4:
    """A process with transformers 4 that answers the names of folders."""

    process = None

    def close(self):
        if self.process is not None:
            self.process.stdin.close()
            self.process.wait()

    def __call__(self, folder, length=LENGTH):
        if self.process is None:
            paths = os.pathsep.join(filter(None, [str(PEERS / "transformers4"), os.environ.get("PYTHONPATH")]))
            command = [sys.executable, __file__, "--answer"]
            pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            self.process = subprocess.Popen(command, text=True, env=os.environ | {"PYTHONPATH": paths}, **pipes)
        print(json.dumps([str(folder), length]), file=self.process.stdin, flush=True)
        return Answer(**json.loads(self.process.stdout.readline()))

    @staticmethod
    def answer():
        assert transformers.__version__.startswith("4."), transformers.__version__
        for line in sys.stdin:
            print(json.dumps(vars(by_transformers(*json.loads(line)))), flush=True)


def by_mlx(folder, length=LENGTH):
    try:
        return Answer(perplexity(mlx_predictions(load_with_mlx(folder)), chunks(length)))
    except Exception as error:
        return Answer(refusal=one_line(f"{type(error).__name__}: {error}"))


RUNTIMES = {"llama.cpp": by_llama_cpp, "hf": by_transformers, "hf4": Transformers4(), "mlx": by_mlx}


def by_lrpatch(model, runtime, length=LENGTH):
    windows = ["--method", "llama.cpp", "--lengths", length, "--windows", len(chunks(length)), "--threads", 1]
    task = ["--task", "perplexity", "--perplexity", TEXT, "--no-gates", "--json", "-q"]
    result = lrpatch("verify", model, "--runtime", runtime, *task, *windows)
    if result.returncode:
        return Answer(refusal=one_line(result.stderr.removeprefix("error: ")), exit_code=result.returncode)
    return Answer(json.loads(result.stdout)["perplexities"][0]["perplexity"])


# MLX-LM demands exactly the tensors of the config, without a word on the numbers: such folders fail loudly there.
NOT_LOADED = {
    ("mlx", "phi3 tie true, a head"), ("mlx", "olmo2 tie true, a head"), ("mlx", "phimoe tie true, no head"),
    ("mlx", "phimoe tie absent, no head"), ("mlx", "olmo2 tie absent, a head"), ("mlx", "phi3 tie absent, a head"),
}  # fmt: skip


def differs(left, right, tolerance=TOLERANCE):
    return left is None or right is None or relative_difference(left, right) > tolerance


@functools.cache
def plain(runtime, model, length=LENGTH):
    """The perplexity of an unchanged model."""
    return RUNTIMES[runtime](model, length).perplexity


def compare(runtime, case, model, unlike=None, length=LENGTH, reason=""):
    """Checks that lrpatch answers as the runtime does. The answer is not the one to `unlike`, the unchanged model. A
    reason says why lrpatch may refuse the model although the runtime runs it."""
    theirs, ours = RUNTIMES[runtime](model, length), by_lrpatch(model, runtime, length)
    if reason and theirs.perplexity is not None and ours.exit_code == REFUSED:
        REPORTS[runtime].known(case, "lrpatch refuses it", True, f"{reason}: {theirs}, lrpatch {ours}")
        return theirs
    if theirs.perplexity is None and ours.perplexity is not None and (runtime, case) in NOT_LOADED:
        REPORTS[runtime].known(case, "lrpatch runs what the runtime refuses to load", True, f"{theirs}")
        return theirs
    if theirs.perplexity is None:
        passed = ours.exit_code == REFUSED
    else:
        passed = not differs(ours.perplexity, theirs.perplexity)
    detail = f"{theirs}, lrpatch {ours}"
    if unlike is not None and not differs(theirs.perplexity, plain(runtime, unlike, length), SHOWN):
        passed, detail = False, f"the change does not show: {detail}"
    REPORTS[runtime].check(case, "verify", passed, detail)
    return theirs


def follow(case, model, runtimes=OF_FOLDERS, unlike=None, length=LENGTH, reason=""):
    """Checks lrpatch against several runtimes, and returns their answers."""
    return {runtime: compare(runtime, case, model, unlike, length, reason) for runtime in runtimes}


# Changed models


def place(case, suffix=""):
    """A new path for a model."""
    path = FOLDER / (re.sub(r"[^\w.-]+", "-", case) + suffix)
    shutil.rmtree(path, ignore_errors=True)
    path.unlink(missing_ok=True)
    return path


def typed(value):
    """The type and value of a key; llama.cpp reads counts as UINT32."""
    if isinstance(value, tuple):
        return value
    return (Kind.UINT32 if type(value) is int else Kind.get_type(value)), value


def file(case, source, keys=None, tensors=None):
    """A copy of a GGUF file with other keys and tensors. A function makes the value of a key, or a tensor, from the old
    one. Most names are those after the architecture's."""
    reader = gguf.GGUFReader(source)
    architecture = reader.fields["general.architecture"].contents()

    def full(name):
        return name if name.startswith(("tokenizer.", "general.")) else f"{architecture}.{name}"

    keys = {full(name): value for name, value in (keys or {}).items()}
    target = place(case, ".gguf")
    writer = gguf.GGUFWriter(target, architecture)
    for entry in reader.fields.values():
        if not entry.name.startswith("GGUF.") and entry.name != "general.architecture" and entry.name not in keys:
            sub_type = entry.types[-1] if entry.types[0] == Kind.ARRAY else None
            writer.add_key_value(entry.name, entry.contents(), entry.types[0], sub_type=sub_type)
    for name, value in keys.items():
        if value is not ABSENT:
            if callable(value):
                entry = reader.fields[name]
                value = (entry.types[0], value(entry.contents()), entry.types[-1])
            kind, content, *sub_type = typed(value)
            writer.add_key_value(name, content, kind, sub_type=sub_type[0] if kind == Kind.ARRAY else None)
    for name, data in changed({tensor.name: tensor.data for tensor in reader.tensors}, tensors or {}).items():
        writer.add_tensor(name, np.ascontiguousarray(data))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return target


def changed(values, changes):
    """A dictionary with some entries set, made from the old ones, or removed."""
    values = dict(values)
    for name, value in changes.items():
        values[name] = value(values[name]) if callable(value) else value
    return {name: value for name, value in values.items() if value is not ABSENT}


def folder(case, source, members=None, tensors=None):
    """A copy of a folder with other members in the config, and other tensors. Theta stands where every runtime reads
    it."""
    target = place(case)
    shutil.copytree(source, target)
    config = json.loads((target / "config.json").read_text())
    config.pop("layer_types", None)
    if rope := config.pop("rope_parameters", None):
        config |= {name: rope[name] for name in ["rope_theta", "partial_rotary_factor"] if name in rope}
        config["rope_scaling"] = None
    (target / "config.json").write_text(json.dumps(changed(config, members or {}), indent=2))
    if tensors:
        path = target / "model.safetensors"
        weights = changed(load_file(path), tensors)
        save_file({name: torch.as_tensor(data).contiguous() for name, data in weights.items()}, path)
    return target


def made(case, model_type, **members):
    """A new random model with other sizes than the fixture, and the fixture's tokenizer."""
    source = MODELS / model_type
    config = transformers.AutoConfig.from_pretrained(source)
    for name, value in members.items():
        setattr(config, name, value)
    if hasattr(config, "layer_types"):
        config.layer_types = [FULL] * config.num_hidden_layers
    torch.manual_seed(1)
    model = transformers.AutoModelForCausalLM.from_config(config).float()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 1:
                parameter += 0.1 * torch.randn_like(parameter)
    target = place(f"{case} made")
    model.save_pretrained(target)
    for name in ["tokenizer.json", "tokenizer_config.json"]:
        shutil.copy(source / name, target)
    return folder(case, target)


def biases(model, *roles, layer=""):
    """Random biases for the matrices of some roles, by the names of the file or folder."""
    if model.suffix == ".gguf":
        rows = {tensor.name: tensor.data.shape[0] for tensor in gguf.GGUFReader(model).tensors}
    else:
        rows = {name: tensor.shape[0] for name, tensor in load_file(model / "model.safetensors").items()}
    random = np.random.default_rng(1)
    ends = tuple(f".{role}.weight" for role in roles)
    names = sorted(name for name in rows if layer in name and f".{name}".endswith(ends))
    noise = {name: 0.5 * random.standard_normal(rows[name]).astype(np.float32) for name in names}
    return {name.removesuffix("weight") + "bias": data for name, data in noise.items()}


# Conversions


def converted(case, model, suffix="", *options):
    """The path of the converted model and nothing, or no path and lrpatch's message."""
    target = place(f"{case} converted", suffix)
    name = ["--name", "tiny"] if suffix else []  # llama.cpp has rules for files with some names
    result = lrpatch("convert", model, "-o", target, *name, "--no-progress", "-q", *options)
    if result.returncode == 0:
        return target, ""
    message = one_line(result.stderr.removeprefix("error: "))
    if result.returncode != REFUSED:
        REPORTS["convert"].check(case, "exit code", False, f"{result.returncode}: {message}")
    return None, message


def to_folder(case, source, expected=None, runtimes=("hf",)):
    """Checks that a file is refused, or becomes a folder that the runtimes load whole, with the expected number."""
    target, message = converted(case, source)
    if target is None:
        return REPORTS["convert"].check(case, "to a folder", True, f"refused ({message[:160]})")
    for runtime in runtimes:
        theirs = RUNTIMES[runtime](target)
        passed = theirs.perplexity is not None and not theirs.unread
        passed = passed and (expected is None or not differs(theirs.perplexity, expected))
        detail = f"{theirs}{f', without {theirs.unread}' if theirs.unread else ''}"
        detail += f", expected {expected:.4f}" if expected is not None else ""
        REPORTS["convert"].check(case, f"to a folder, {REPORTS[runtime].runtime}", passed, detail)


def to_file(case, source, expected=None, *options):
    """Checks that a model is refused, or becomes a GGUF file that llama.cpp loads, with the expected number."""
    target, message = converted(case, source, ".gguf", *options)
    if target is None:
        return REPORTS["convert"].check(case, "to a file", True, f"refused ({message[:160]})")
    theirs = by_llama_cpp(target)
    passed = theirs.perplexity is not None and (expected is None or not differs(theirs.perplexity, expected))
    detail = f"{theirs}, expected {expected:.4f}" if expected is not None else str(theirs)
    REPORTS["convert"].check(case, "to a file, llama.cpp", passed, detail)
    return target


# Multipliers

FILE_MULTIPLIERS = {
    "minicpm": ["embedding_scale", "residual_scale", "logit_scale"],
    "granite": ["attention.scale", "embedding_scale", "residual_scale"],
}
OFF_AT_ZERO = ["attention.scale", "embedding_scale", "residual_scale"]
# transformers has no class for minicpm.
READERS = {"minicpm": ["mlx"], "granite": ["hf"]}
FOLDER_MULTIPLIERS = {
    "minicpm": ["scale_emb", "scale_depth", "dim_model_base"],
    "granite": ["attention_multiplier", "embedding_multiplier", "residual_multiplier", "logits_scaling"],
}
DIVISORS = ["dim_model_base", "logits_scaling"]


def describe(changes):
    """`no NAME`, or `NAME 0`."""
    (name, value), *others = changes.items()
    return "no multipliers" if others else f"no {name}" if value is ABSENT else f"{name} {value:.0f}"


def check_multipliers_of_files():
    """In files of llama.cpp's converter, and in those of lrpatch, which also have the config of the folder."""
    for architecture, names in FILE_MULTIPLIERS.items():
        changes = [{name: ABSENT} for name in names] + [{name: ABSENT for name in names}]
        changes += [{name: 0.0} for name in names if name in OFF_AT_ZERO]
        ours, _ = converted(f"{architecture} base", folder(architecture, MODELS / architecture), ".gguf")
        for maker, base in [("", MODELS / f"{architecture}.gguf"), ("lrpatch's ", ours)]:
            for keys in changes:
                case = f"{maker}{architecture} {describe(keys)}"
                changed_file = file(case, base, keys)
                theirs = compare("llama.cpp", case, changed_file, base)
                to_folder(case, changed_file, theirs.perplexity, READERS[architecture])


def check_multipliers_of_folders():
    for architecture, names in FOLDER_MULTIPLIERS.items():
        base = folder(architecture, MODELS / architecture)
        reader = READERS[architecture][0]
        for name in names:
            values = [ABSENT] if name in DIVISORS else [ABSENT, 0.0]
            for value in values:
                case = f"{architecture} {describe({name: value})}"
                model = folder(case, base, {name: value})
                runtimes = OF_FOLDERS if architecture == "granite" else ["mlx"]
                theirs = follow(case, model, runtimes)[reader]
                to_file(case, model, theirs.perplexity)
    case = "granite no multipliers"
    model = folder(case, MODELS / "granite", {name: ABSENT for name in FOLDER_MULTIPLIERS["granite"]})
    to_file(case, model, follow(case, model, ["hf", "hf4"])["hf"].perplexity)


# Sliding windows

WINDOW = 16
LONG = 4352  # tokens, more than the window of 4096 that is the default of some classes
NOTHING_SEEN = "with a window of 0 no token sees any"


def check_switched_windows():
    for architecture in ["qwen2", "qwen3"]:
        on = {"use_sliding_window": True, "sliding_window": WINDOW}
        base = folder(architecture, MODELS / architecture)
        for name, members, shows in [
            ("from layer 0", on | {"max_window_layers": 0}, True),
            ("from layer 1", on | {"max_window_layers": 1}, True),
            ("no max_window_layers", on | {"max_window_layers": ABSENT}, False),
            ("layer_types agree", on | {"max_window_layers": 1, "layer_types": [FULL, SLIDING]}, True),
            ("one layer_type for two", {"layer_types": [FULL]}, False),
            ("unknown layer_types", {"layer_types": [FULL, "other"]}, False),
            ("window null", on | {"max_window_layers": 0, "sliding_window": None}, False),
            ("window 0", on | {"max_window_layers": 0, "sliding_window": 0}, False),
        ]:
            case = f"{architecture} {name}"
            reason = NOTHING_SEEN if members.get("sliding_window") == 0 else ""
            follow(case, folder(case, base, members), ["hf", "hf4"], base if shows else None, reason=reason)
        case = f"{architecture} layer_types differ"
        model = folder(case, base, on | {"max_window_layers": 1, "layer_types": [SLIDING, FULL]})
        refuses(case, model, "layer_types", "hf", "it obeys layer_types first", by_transformers(model))
        case = f"{architecture} layer_types only"
        follow(case, folder(case, base, {"layer_types": [SLIDING, SLIDING]}), ["hf", "hf4"])
    case = "qwen2 28 of 30 layers"
    switched = dict(num_hidden_layers=30, use_sliding_window=True, sliding_window=WINDOW)
    made_folder = made(case, "qwen2", **switched)
    model = folder(f"{case} as default", made_folder, {"max_window_layers": ABSENT})
    follow(case, model, ["hf", "hf4"], folder(f"{case} without", made_folder, {"use_sliding_window": False}))


def check_other_windows():
    mistral = folder("mistral", MODELS / "mistral")
    obeyed = "it obeys layer_types"
    for name, members, reason in [
        ("window null", {"sliding_window": None}, ""), ("window 0", {"sliding_window": 0}, NOTHING_SEEN),
        ("layer_types full", {"layer_types": [FULL] * 2}, obeyed),
        ("layer_types of both", {"layer_types": [SLIDING, FULL]}, obeyed),
    ]:  # fmt: skip
        follow(f"mistral {name}", folder(f"mistral {name}", mistral, members), reason=reason)
    # MLX-LM runs both with one class.
    members = {"sliding_window": WINDOW, "layer_types": [SLIDING, FULL]}
    model = folder("llama layer_types of both", MODELS / "llama", members)
    follow("llama layer_types of both", model, reason=obeyed)
    for architecture in ["phi3", "phimoe"]:
        case = f"{architecture} window 0"
        model = folder(case, MODELS / architecture, {"sliding_window": 0})
        follow(case, model, ["hf", "hf4"], reason=NOTHING_SEEN)
    smollm3 = folder("smollm3", MODELS / "smollm3")
    case = "smollm3 layer_types only"
    model = folder(case, smollm3, {"sliding_window": WINDOW, "layer_types": [SLIDING] * 4})
    shown = differs(by_transformers(model).perplexity, by_transformers(smollm3).perplexity, SHOWN)
    reason = "it masks although use_sliding_window is false"
    refuses(case, model, "layer_types", "hf", reason, by_transformers(model), shown)


def check_default_windows():
    """Checks that an absent window is one of 4096 tokens, for mistral with a text that is longer."""
    longer = {"max_position_embeddings": 2 * LONG, "sliding_window": ABSENT}
    switched = {"use_sliding_window": True, "max_window_layers": 0}
    for architecture, members in [("mistral", {}), ("qwen2", switched), ("qwen3", switched)]:
        case = f"{architecture} no sliding_window"
        model = folder(case, MODELS / architecture, longer | members)
        found = transformers.AutoConfig.from_pretrained(model).sliding_window
        REPORTS["hf"].check(case, "the class's window", found == 4096, str(found))
        if architecture == "mistral":
            follow(case, model, ["hf"], folder(f"{case} null", model, {"sliding_window": None}), LONG)


def check_ignored_windows():
    on = {"use_sliding_window": True, "max_window_layers": 0, "sliding_window": WINDOW}
    for architecture in ["mistral", "phi3", "phimoe", "qwen2", "qwen3"]:
        case = f"{architecture} window {WINDOW}"
        model = folder(case, MODELS / architecture, on)
        theirs = compare("mlx", case, model)
        without = by_mlx(folder(f"{case} null", MODELS / architecture, on | {"sliding_window": None}))
        ignored = not differs(theirs.perplexity, without.perplexity)
        REPORTS["mlx"].known(case, "no window", ignored, f"{theirs}, without the member {without}")
        follow(case, model, ["hf", "hf4"])


# The output matrix

TIED_CLASSES = ["llama", "mistral", "phi3", "qwen2", "qwen3", "granite", "olmo2", "smollm3", "phimoe", "minicpm3"]
TIES = {"true": True, "absent": ABSENT}
MORE_TIES = TIES | {"false": False, "null": None}
TIED_BY_DEFAULT = ["smollm3", "minicpm3"]
WITHOUT_HEAD = ["llama", "phi3", "olmo2", "phimoe", *TIED_BY_DEFAULT]


def check_ties():
    random = torch.Generator().manual_seed(1)
    for architecture in TIED_CLASSES:
        # minicpm3's logits are scaled by 8, MLX-LM cannot load it without factors, and transformers 4 lacks it.
        size, runtimes = (0.04, ["hf"]) if architecture == "minicpm3" else (0.3, OF_FOLDERS)
        source = MODELS / architecture
        shape = load_file(source / "model.safetensors")["model.embed_tokens.weight"].shape
        head = {"lm_head.weight": size * torch.randn(shape, generator=random)}
        no_head = {"lm_head.weight": ABSENT}
        if architecture == "minicpm3":
            no_head["model.embed_tokens.weight"] = lambda data: data / 8
        for name, tied in (MORE_TIES if architecture == "llama" else TIES).items():
            case = f"{architecture} tie {name}, a head"
            model = folder(case, source, {"tie_word_embeddings": tied}, head)
            theirs = follow(case, model, runtimes, reason="null is neither true nor false" if tied is None else "")["hf"]
            # llama.cpp's phimoe is another model.
            to_file(case, model, None if architecture == "phimoe" else without_window(case, model, theirs))
            if architecture not in WITHOUT_HEAD:
                continue
            case = f"{architecture} tie {name}, no head"
            model = folder(case, source, {"tie_word_embeddings": tied}, no_head)
            may_refuse = tied is ABSENT and architecture not in TIED_BY_DEFAULT
            follow(case, model, runtimes, reason="its class ties by default" if may_refuse else "")
            to_file(case, model)


def without_window(case, model, answer):
    """The number of a model that llama.cpp runs without its window."""
    if json.loads((model / "config.json").read_text()).get("sliding_window") is None:
        return answer.perplexity
    return by_transformers(folder(f"{case} unwindowed", model, {"sliding_window": None})).perplexity


# Other absent keys and members

FILE_KEYS = [
    "rope.freq_base", "rope.dimension_count", "attention.head_count_kv", "attention.key_length",
    "attention.value_length",
]  # fmt: skip
FILE_ARCHITECTURES = ["llama", "qwen3", "phi3-partial", "granite", "minicpm3"]
FOLDER_ARCHITECTURES = ["llama", "mistral", "phi3", "phimoe", "granite", "qwen2", "qwen3", "smollm3", "olmo2"]
BEGIN, ADD_BEGIN = "tokenizer.ggml.bos_token_id", "tokenizer.ggml.add_bos_token"
PRE, TOKEN_TYPES = "tokenizer.ggml.pre", "tokenizer.ggml.token_type"
VOCABULARIES = {
    "llama-bpe, no bos id": {PRE: "llama-bpe", BEGIN: ABSENT, ADD_BEGIN: ABSENT},
    "no bos id": {BEGIN: ABSENT},
    "no add_bos_token": {ADD_BEGIN: ABSENT},
    "no pre": {PRE: ABSENT},
    "no token types": {TOKEN_TYPES: ABSENT},
}


def check_absent_keys():
    for architecture in FILE_ARCHITECTURES:
        for key in FILE_KEYS:
            case = f"{architecture} no {key}"
            model = file(case, MODELS / f"{architecture}.gguf", {key: ABSENT})
            theirs = compare("llama.cpp", case, model)
            to_folder(case, model, theirs.perplexity)
    for name, keys in VOCABULARIES.items():
        case = f"llama {name}"
        compare("llama.cpp", case, file(case, MODELS / "llama.gguf", keys))
    case = "llama one size by layer"
    keys = {"feed_forward_length": (Kind.ARRAY, [24, 24], Kind.UINT32)}
    compare("llama.cpp", case, file(case, MODELS / "llama.gguf", keys), reason="a list with a number for each layer")


def check_absent_members():
    for architecture in FOLDER_ARCHITECTURES:
        case = f"{architecture} no theta"
        follow(case, folder(case, MODELS / architecture, {"rope_theta": ABSENT}))
    for architecture, member in [
        ("llama", "vocab_size"), ("phimoe", "vocab_size"), ("minicpm3", "num_key_value_heads"),
        ("llama", "num_key_value_heads"), ("mistral", "num_key_value_heads"), ("qwen3", "num_key_value_heads"),
        ("llama", "head_dim"), ("qwen3", "head_dim"),
    ]:  # fmt: skip
        case = f"{architecture} no {member}"
        follow(case, folder(case, MODELS / architecture, {member: ABSENT}), ["hf"])
    case = "llama head_dim by default"
    made_folder = made(case, "llama", head_dim=8)
    follow(case, folder(f"{case} absent", made_folder, {"head_dim": ABSENT}))


# Biases

ALL_INPUTS = ["attn_q", "attn_k", "attn_v"]
# What is changed in files: the architecture, and the roles that get biases.
FILE_BIASES = [
    ("llama", ["attn_q"]), ("llama", ["attn_k", "attn_v"]), ("llama", ALL_INPUTS), ("llama", ["attn_output"]),
    ("llama", [*ALL_INPUTS, "attn_output"]), ("granite", ["attn_output"]), ("granite", [*ALL_INPUTS, "attn_output"]),
    ("qwen2", ALL_INPUTS), ("qwen2", ["output"]), ("qwen3", ALL_INPUTS), ("olmo2", ALL_INPUTS), ("smollm3", ALL_INPUTS),
    ("phi3-partial", ["attn_qkv"]), ("minicpm", ["attn_q"]),
]  # fmt: skip
PROJECTIONS = ["q_proj", "k_proj", "v_proj", "o_proj"]


def check_biases_of_files():
    for architecture, roles in FILE_BIASES:
        case = f"{architecture} bias of {'+'.join(roles)}"
        base = MODELS / f"{architecture}.gguf"
        model = file(case, base, tensors=biases(base, *roles))
        theirs = compare("llama.cpp", case, model, base)
        if architecture != "minicpm":  # no runtime here reads a folder of it with biases
            to_folder(case, model, theirs.perplexity, ["hf", "mlx"] if architecture == "llama" else ["hf"])
    case = "llama bias of attn_q in layer 1"
    model = file(case, MODELS / "llama.gguf", tensors=biases(MODELS / "llama.gguf", "attn_q", layer="blk.1."))
    to_folder(case, model, compare("llama.cpp", case, model, MODELS / "llama.gguf").perplexity, ["hf", "mlx"])


def check_biases_of_folders():
    for architecture in ["llama", "granite", "qwen3", "olmo2", "smollm3"]:
        case = f"{architecture} attention_bias"
        base = folder(architecture, MODELS / architecture)
        model = folder(case, base, {"attention_bias": True}, biases(base, *PROJECTIONS))
        theirs = follow(case, model, ["hf", "hf4"], base)["hf"]
        if architecture in ["llama", "granite"]:
            to_file(case, model, theirs.perplexity)
        else:
            not_written(case, model, "o_proj.bias")
    case = "llama attention_bias, q only"
    base = folder("llama", MODELS / "llama")
    model = folder(case, base, {"attention_bias": True}, biases(base, "q_proj"))
    follow(case, model, reason="the config turns on biases that the file lacks; transformers starts them at zero")
    case = "minicpm3 attention_bias"
    base = folder("minicpm3", MODELS / "minicpm3")
    model = folder(case, base, {"attention_bias": True}, biases(base, "q_a_proj", "kv_a_proj_with_mqa", "o_proj"))
    follow(case, model, ["hf"], base)
    not_written(case, model, ".bias")


def check_phimoe_without_biases():
    """llama.cpp requires biases that Phi-3.5-MoE has and its small relatives lack; lrpatch writes zeros."""
    names = load_file(MODELS / "phimoe/model.safetensors")
    dropped = {name: ABSENT for name in names if name.endswith(("_proj.bias", "lm_head.bias"))}
    case = "phimoe no biases"
    model = folder(case, MODELS / "phimoe", {"attention_bias": False, "lm_head_bias": False}, dropped)
    follow(case, model, ["hf", "hf4"])
    written = to_file(case, model)
    if written:
        compare("llama.cpp", f"{case}, converted", written, MODELS / "phimoe.gguf")


def not_written(case, model, word):
    """Checks that lrpatch writes no GGUF file, because llama.cpp refuses the one that its own converter writes."""
    target, message = converted(case, model, ".gguf")
    theirs = by_converter(case, model)
    passed = target is None and word in message and theirs.perplexity is None
    detail = f"llama.cpp {theirs}, lrpatch {message[:160] or 'writes it'}"
    REPORTS["convert"].check(case, "not to a file", passed, detail)


def by_converter(case, model):
    """llama.cpp's answer to a file by its own converter."""
    path = place(f"{case} by llama.cpp", ".gguf")
    try:
        convert_with_llama_cpp(model, path, "f32")
    except (Exception, SystemExit) as error:
        return Answer(refusal=one_line(f"its converter: {type(error).__name__}: {error}"))
    return by_llama_cpp(path)


def check_head_sizes():
    """Heads that are not the hidden state's width divided by their number, which some graphs of llama.cpp rely on."""
    for architecture in ["granite", "llama", "smollm3", "phi3", "phimoe", "qwen2", "olmo2"]:
        case = f"{architecture} head_dim 16"
        model = made(case, architecture, head_dim=16)
        # transformers 4's phimoe ignores head_dim.
        theirs = follow(case, model, ["hf"])["hf"]
        if architecture in ["granite", "llama", "smollm3"]:
            to_file(case, model, theirs.perplexity)
        else:
            not_written(case, model, "divided by the heads")


# What is refused


@dataclass
class Change:
    """A change to a model of fixtures/architectures, and a word by which lrpatch must name it."""

    model: str
    name: str
    word: str
    members: dict = field(default_factory=dict)  # keys of a GGUF file, or members of a config
    tensors: dict = field(default_factory=dict)
    reason: str = ""  # why lrpatch refuses what the runtime runs, or reads otherwise

    @property
    def case(self):
        return f"{self.model} {self.name}"

    def file(self):
        return file(self.case, MODELS / f"{self.model}.gguf", self.members, self.tensors)

    def folder(self):
        return folder(self.case, MODELS / self.model, self.members, self.tensors)


def mistyped(key, kind, value, model="llama"):
    return Change(model, f"{key.removeprefix('tokenizer.ggml.')} {kind.name}", key, {key: (kind, value)})


def biased(model, name, size):
    return Change(model, name, name, tensors={name: np.ones(size, np.float32)})


def longer(data):
    return np.concatenate([data, data[:1]])


def halved(data):
    return data.astype(np.float16)


FREQUENCIES = np.array([1, 2, 3, 4], np.float32)

# Keys that llama.cpp accepts with one type only.
MISTYPED = [
    mistyped("context_length", Kind.UINT64, 64), mistyped("block_count", Kind.UINT16, 2),
    mistyped("attention.head_count", Kind.INT32, 4), mistyped("attention.layer_norm_rms_epsilon", Kind.FLOAT64, 3e-5),
    mistyped("rope.freq_base", Kind.UINT32, 20000), mistyped("rope.freq_base", Kind.FLOAT64, 20000.0),
    mistyped("rope.scaling.factor", Kind.UINT32, 1), mistyped("rope.scale_linear", Kind.UINT32, 1),
    mistyped("rope.scaling.original_context_length", Kind.FLOAT32, 64.0),
    mistyped("rope.scaling.attn_factor", Kind.FLOAT64, 1.0), mistyped("rope.scaling.finetuned", Kind.UINT8, 1),
    mistyped("rope.dimension_count", Kind.UINT64, 12), mistyped("vocab_size", Kind.UINT64, 104),
    mistyped("tokenizer.ggml.add_bos_token", Kind.UINT8, 1), mistyped("tokenizer.ggml.add_eos_token", Kind.UINT8, 0),
    mistyped("tokenizer.ggml.bos_token_id", Kind.INT32, 0), mistyped("tokenizer.ggml.eot_token_id", Kind.UINT64, 1),
    mistyped("attention.causal", Kind.UINT8, 1), mistyped("expert_count", Kind.UINT64, 0),
    mistyped("nextn_predict_layers", Kind.UINT64, 0), mistyped("pooling_type", Kind.UINT64, 0),
    mistyped("tokenizer.ggml.fim_pre_token_id", Kind.INT32, 1), mistyped("general.name", Kind.UINT32, 5),
]  # fmt: skip

REFUSED_FILES = [
    Change("llama", "scaling.type UINT32", "rope.scaling.type", {"rope.scaling.type": (Kind.UINT32, 1)}),
    Change("llama", "type su", "su", {"rope.scaling.type": "su"}),
    Change("llama", "alignment UINT64", "general.alignment", {"general.alignment": (Kind.UINT64, 32)}),
    *[Change(name, "head_count_kv 0", "key heads", {"attention.head_count_kv": 0})
      for name in ["llama", "qwen2", "phi3"]],
    *[Change(name, "value_length 4", "values", {"attention.value_length": 4})
      for name in ["llama", "qwen2", "phi3", "phimoe"]],
    *[Change(name, "key_length 4", "head has", {"attention.key_length": 4})
      for name in ["llama", "qwen2", "phi3", "phimoe"]],
    *[Change(name, "rope.dimension_count 4", "rotated", {"rope.dimension_count": 4})
      for name in ["llama", "qwen2", "qwen3", "granite", "minicpm", "olmo2", "smollm3"]],
    Change("granite", "105 rows, 104 tokens", "token_embd.weight", tensors={"token_embd.weight": longer}),
    Change("qwen2", "105 rows, 104 tokens", "token_embd.weight",
           tensors={"token_embd.weight": longer, "output.weight": longer}),
    Change("olmo2", "no output.weight", "output.weight", tensors={"output.weight": ABSENT}),
    Change("phimoe", "no output.weight", "output.weight", tensors={"output.weight": ABSENT}),
    *[Change("phimoe", f"no {name}", name, tensors={name: ABSENT})
      for name in ["output.bias", "output_norm.bias", "blk.0.ffn_norm.bias", "blk.0.attn_output.bias"]],
    biased("llama", "blk.0.attn_norm.bias", 32), biased("llama", "output.bias", 104),
    biased("granite", "output.bias", 104),
    *[biased(name, "blk.0.attn_output.bias", 32) for name in ["olmo2", "qwen2", "qwen3", "smollm3"]],
    Change("qwen2", "rope_freqs", "rope_freqs.weight", tensors={"rope_freqs.weight": FREQUENCIES}),
    Change("phi3", "rope_freqs", "rope_freqs.weight", tensors={"rope_freqs.weight": FREQUENCIES}),
    Change("llama3-scaling", "F16 rope_freqs", "rope_freqs.weight", tensors={"rope_freqs.weight": halved}),
    Change("llama", "F16 norm", "blk.0.attn_norm.weight", tensors={"blk.0.attn_norm.weight": halved}),
    Change("llama", "expert_count 4", "expert_count", {"expert_count": 4, "expert_used_count": 2}),
    Change("llama", "expert_used_count 2", "expert_used_count", {"expert_used_count": 2}),
    Change("phimoe", "no expert_used_count", "expert_used_count", {"expert_used_count": ABSENT}),
    Change("llama", "nextn_predict_layers 1", "nextn_predict_layers", {"nextn_predict_layers": 1}),
    Change("llama", "block_count 1", "blk.1.", {"block_count": 1}),
    Change("granite", "no logit_scale", "logit_scale", {"logit_scale": ABSENT}),
    Change("llama", "no epsilon", "layer_norm_rms_epsilon", {"attention.layer_norm_rms_epsilon": ABSENT}),
    Change("llama", "no head_count", "head_count", {"attention.head_count": ABSENT}),
    Change("llama", "unknown pre", "unheard", {PRE: "unheard-of"}),
    Change("llama", "no merges", "merges", {"tokenizer.ggml.merges": ABSENT}),
    Change("llama", "too few token types", "token", {TOKEN_TYPES: lambda kinds: kinds[:50]}),
    Change("llama", "token types UINT32", "token_type", {TOKEN_TYPES: (Kind.ARRAY, [3, 3] + [1] * 102, Kind.UINT32)}),
    Change("llama", "a token twice", "token",
           {"tokenizer.ggml.tokens": lambda tokens: [*tokens[:50], tokens[51], *tokens[51:]]}),
]  # fmt: skip


def ran(model, name, word, reason, keys=None, tensors=None):
    return Change(model, name, word, keys or {}, tensors or {}, reason)


FILES_THAT_LLAMA_CPP_RUNS = [
    ran("llama", "causal false", "attention.causal", "tokens see those after them", {"attention.causal": False}),
    ran("granite", "finetuned false", "finetuned", "no rotary embedding", {"rope.scaling.finetuned": False}),
    ran("qwen2", "expert_count 4", "expert_count", "it ignores experts here",
        {"expert_count": 4, "expert_used_count": 2}),
    ran("olmo2", "sliding_window 16", "sliding_window", "OLMo 3: windows in 3 of 4 layers",
        {"attention.sliding_window": WINDOW}),
    ran("llama", "ffn bias", "ffn_up.bias", "no family has such biases",
        tensors={"blk.0.ffn_up.bias": np.ones(24, np.float32)}),
    ran("llama", "scale tensor", "attn_q.scale", "scales of FP8 weights",
        tensors={"blk.0.attn_q.scale": np.array([2], np.float32)}),
    ran("llama", "other sizes by layer", "feed_forward_length", "it takes the first layer's size for all",
        {"feed_forward_length": (Kind.ARRAY, [24, 20], Kind.UINT32)}),
    ran("phimoe", "expert_used_count 1", "experts", "SparseMixer chooses two", {"expert_used_count": 1}),
    ran("phimoe", "rope.dimension_count 4", "rotated", "transformers rotates whole heads", {"rope.dimension_count": 4}),
    ran("llama", "bos id 999", "bos_token_id", "it ignores a token that does not exist", {BEGIN: 999}),
]  # fmt: skip

LAYER = "model.layers.0."
QUERY, OUTPUT = f"{LAYER}self_attn.q_proj.bias", f"{LAYER}self_attn.o_proj.bias"


def unread(model, name, tensor, size, members=None):
    return ran(model, name, tensor, "it ignores the tensor", members, {tensor: torch.randn(size)})


FOLDERS_THAT_TRANSFORMERS_READS_OTHERWISE = [
    unread("llama", "q bias, attention_bias false", QUERY, 48, {"attention_bias": False}),
    unread("llama", "q bias, no attention_bias", QUERY, 48, {"attention_bias": ABSENT}),
    unread("llama", "bias of a norm", f"{LAYER}input_layernorm.bias", 32, {"attention_bias": False}),
    unread("mistral", "q bias", QUERY, 40, {"attention_bias": True}),
    unread("qwen2", "o bias", OUTPUT, 32),
    unread("qwen2", "lm_head.bias", "lm_head.bias", 104),
    unread("phi3", "qkv bias", f"{LAYER}self_attn.qkv_proj.bias", 64),
    unread("phi3", "unknown tensor", f"{LAYER}other", 64),
    *[ran(name, "partial_rotary_factor .5", "partial_rotary_factor", "it ignores the member",
          {"partial_rotary_factor": 0.5}) for name in ["llama", "qwen2", "granite", "olmo2", "smollm3"]],
    ran("phimoe", "1 expert per token", "experts", "it always takes two", {"num_experts_per_tok": 1}),
]  # fmt: skip

FOLDERS_THAT_TRANSFORMERS_REFUSES = [
    *[Change(name, "vocab_size 105", "vocab_size", {"vocab_size": 105}) for name in ["llama", "granite", "phimoe"]],
    Change("minicpm3", "2 key heads of 4", "key heads", {"num_key_value_heads": 2}),
    Change("llama", "no norm", "input_layernorm", {}, {"model.layers.0.input_layernorm.weight": ABSENT}),
]

# Nothing here runs the published code.
REFUSED_PHI3SMALL = [
    Change("phi3small", "homo head pattern", "blocksparse_homo_head_pattern", {"blocksparse_homo_head_pattern": True}),
    Change("phi3small", "position scale 2", "rope_position_scale", {"rope_position_scale": 2.0}),
]


def refuses(case, model, word, runtime, reason, theirs, still_so=True):
    """Reports a model that lrpatch refuses by name although the runtime runs it."""
    ours = by_lrpatch(model, "llama.cpp" if model.suffix == ".gguf" else "paper")
    refused = ours.exit_code == REFUSED and word in ours.refusal
    runs = theirs.perplexity is not None and still_so
    detail = f"{reason}: {theirs}; lrpatch {ours}"
    REPORTS[runtime].known(case, "lrpatch refuses it", refused and runs, detail)


def refused_alike(runtime, change, model, theirs):
    """Checks that the runtime refuses a model, and so does lrpatch, by name."""
    ours = by_lrpatch(model, runtime)
    passed = theirs.perplexity is None and ours.exit_code == REFUSED and change.word in ours.refusal
    REPORTS[runtime].check(change.case, "refused by both", passed, f"{theirs}, lrpatch {ours}")


def check_mistyped_keys():
    """They stop llama.cpp. convert writes the accepted types."""
    expected = by_llama_cpp(MODELS / "llama.gguf").perplexity
    for change in MISTYPED:
        model = change.file()
        refused_alike("llama.cpp", change, model, by_llama_cpp(model))
        to_file(change.case, model, expected)


def check_refused_files():
    for change in REFUSED_FILES:
        model = change.file()
        refused_alike("llama.cpp", change, model, by_llama_cpp(model))
        # llama.cpp gives no number, so the folder must only be whole.
        to_folder(change.case, model, None, ["mlx"] if change.model == "minicpm" else ["hf"])
    for change in FILES_THAT_LLAMA_CPP_RUNS:
        model = change.file()
        theirs = by_llama_cpp(model)
        refuses(change.case, model, change.word, "llama.cpp", change.reason, theirs)
        to_folder(change.case, model, None if BEGIN in change.members else theirs.perplexity)


def check_refused_folders():
    for change in FOLDERS_THAT_TRANSFORMERS_READS_OTHERWISE:
        model = change.folder()
        theirs = by_transformers(model)
        ignored = not differs(theirs.perplexity, plain("hf", MODELS / change.model))
        refuses(change.case, model, change.word, "hf", change.reason, theirs, ignored)
        refused_conversion(change, model)
    for change in FOLDERS_THAT_TRANSFORMERS_REFUSES:
        model = change.folder()
        for runtime in ["hf"] if change.model == "minicpm3" else ["hf", "hf4"]:
            refused_alike(runtime, change, model, RUNTIMES[runtime](model))
        refused_conversion(change, model)
    for change in REFUSED_PHI3SMALL:
        ours = by_lrpatch(change.folder(), "paper")
        passed = ours.exit_code == REFUSED and change.word in ours.refusal
        REPORTS["hf"].known(change.case, "lrpatch refuses it", passed, f"its own code reads it: lrpatch {ours}")


def refused_conversion(change, model):
    target, message = converted(change.case, model, ".gguf")
    passed = target is None and change.word in message
    REPORTS["convert"].check(change.case, "not to a file", passed, message[:160] or "written")


def check_scalings_of_files():
    """rope_freqs next to another scaling, which a config cannot express together."""
    for name, keys in [
        ("factor 2", {"rope.scaling.factor": 2.0}), ("attn_factor 1.5", {"rope.scaling.attn_factor": 1.5}),
        ("yarn 2", {"rope.scaling.type": "yarn", "rope.scaling.factor": 2.0}), ("plain", {}),
    ]:  # fmt: skip
        case = f"llama3-scaling {name}"
        model = file(case, MODELS / "llama3-scaling.gguf", keys)
        to_folder(case, model, compare("llama.cpp", case, model).perplexity)


# Everything that is written


def check_written_files():
    """llama.cpp loads the files that convert and apply write, and verify gives its number."""
    for source in sorted(path for path in MODELS.iterdir() if path.is_dir()):
        name, original, factors = source.name, MODELS / f"{source.name}.gguf", MODELS / f"{source.name}.factors.json"
        check_written("converted", name, *converted(f"{name} written", source, ".gguf"))
        if factors.exists():
            made_with = converted(f"{name} with factors", source, ".gguf", "--factors", factors)
            check_written("converted with factors", name, *made_with)
        if original.exists():
            to_folder(name, original, None, LOADERS.get(name, ["hf", "mlx"]))
        if original.exists() and factors.exists():
            check_written("patched", name, *patched(name, original, factors))


# transformers has no class for minicpm; MLX-LM's minicpm3 cannot be loaded without factors.
LOADERS = {"minicpm": ["mlx"], "minicpm3": ["hf"]}


def check_written(what, case, path, message):
    if path is None:
        return REPORTS["convert"].check(case, what, True, f"refused ({message[:160]})")
    theirs, ours = by_llama_cpp(path), by_lrpatch(path, "llama.cpp")
    same = ours.exit_code == REFUSED or not differs(ours.perplexity, theirs.perplexity)
    REPORTS["llama.cpp"].check(case, what, theirs.perplexity is not None and same, f"{theirs}, lrpatch {ours}")


def patched(case, original, factors):
    """The path of a patched copy and nothing, or no path and lrpatch's message."""
    path = place(f"{case} patched", ".gguf")
    shutil.copy(original, path)
    result = lrpatch("apply", factors, path)
    message = one_line(result.stderr.removeprefix("error: "))
    if result.returncode not in [0, REFUSED]:
        REPORTS["convert"].check(case, "apply, exit code", False, f"{result.returncode}: {message}")
    return (None, message) if result.returncode else (path, "")


CHECKS = [
    check_multipliers_of_files, check_multipliers_of_folders, check_switched_windows, check_other_windows,
    check_default_windows, check_ignored_windows, check_ties, check_absent_keys, check_absent_members,
    check_biases_of_files, check_biases_of_folders, check_phimoe_without_biases, check_head_sizes, check_mistyped_keys,
    check_refused_files, check_refused_folders, check_scalings_of_files, check_written_files,
]  # fmt: skip


def main():
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    if sys.argv[1:] == ["--answer"]:
        return Transformers4.answer()
    mx.set_default_device(mx.cpu)
    torch.set_num_threads(1)
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    for check in CHECKS:
        try:
            check()
        except Exception as error:
            REPORTS["convert"].check(check.__name__, "runs", False, f"{type(error).__name__}: {str(error)[:400]}")
    RUNTIMES["hf4"].close()
    return int(any(report.failures for report in REPORTS.values()))


if __name__ == "__main__":
    raise SystemExit(main())
