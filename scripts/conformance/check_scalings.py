"""Checks RoPE scalings other than LongRoPE: each runtime's own code against `lrpatch inspect`, and llama.cpp against
`lrpatch verify` on GGUF files with every key of YaRN.

The cases are those of fixtures/make/make_golden_scalings.py. They are computed again here.
"""

import json
import sys

import gguf

from common import FIXTURES, NEEDLE, TEXT, WORK, Report, llama_perplexity, lrpatch, relative_difference

sys.path.insert(0, str(FIXTURES / "make"))
import make_golden_scalings as scalings  # noqa: E402

TITLES = {"hf": "transformers 5", "hf4": "transformers 4", "vllm": "vLLM", "sglang": "SGLang", "mlx": "MLX-LM"}

# Keys that are set in a GGUF file of needle-256, and the length of the chunks.
FILES = {
    "none": {"rope.scaling.type": "none", "rope.scaling.factor": 4.0},
    "linear": {"rope.scaling.type": "linear", "rope.scaling.factor": 2.0},
    "no-type": {"rope.scaling.factor": 2.0},
    "old-factor": {"rope.scale_linear": 2.0},
    "attn-factor": {"rope.scaling.attn_factor": 1.1},
    "yarn": {"rope.scaling.type": "yarn", "rope.scaling.factor": 4.0},
    "yarn-window": {"rope.scaling.type": "yarn", "rope.scaling.factor": 4.0, "rope.scaling.original_context_length": 64},
    "yarn-attn": {"rope.scaling.type": "yarn", "rope.scaling.factor": 4.0, "rope.scaling.attn_factor": 0.9},
    "yarn-below-one": {"rope.scaling.type": "yarn", "rope.scaling.factor": 0.5},
    "yarn-unread": {
        "rope.scaling.type": "yarn", "rope.scaling.factor": 4.0, "rope.scaling.yarn_ext_factor": 0.5,
        "rope.scaling.yarn_attn_factor": 1.5, "rope.scaling.yarn_beta_fast": 8.0, "rope.scaling.yarn_beta_slow": 2.0,
        "rope.scaling.yarn_log_multiplier": 0.5,
    },
}  # fmt: skip


def check_folders():
    reports = {name: Report(title) for name, title in TITLES.items()}
    found = scalings.results()
    for case, config in scalings.configs().items():
        folder = WORK / "scalings" / case
        folder.mkdir(parents=True)
        (folder / "config.json").write_text(json.dumps(config))
        inspected = {entry["runtime"]: entry for entry in json.loads(lrpatch("inspect", folder, "--json").stdout)["runtimes"]}
        for runtime, tables in found[case].items():
            report, entry = reports[runtime], inspected[runtime]
            if isinstance(tables, str):
                report.check(case, f"inspect says fails ({tables})", entry["status"] == "fails", "; ".join(entry["notes"]))
                continue
            for regime, table in zip(["short", "long"], tables):
                used = entry[regime] or {"inverse_frequencies": [], "mscale": 0}
                worst = max(
                    relative_difference(used["inverse_frequencies"], table["inverse_frequencies"]),
                    relative_difference(used["mscale"], table["mscale"]),
                )
                report.check(case, f"frequencies and scale, {regime} input", worst <= 2e-5, f"{worst:.1e}")
    return sum(report.failures for report in reports.values())


def with_keys(source, target, keys):
    """A copy of a GGUF file with other keys."""
    reader = gguf.GGUFReader(source)
    writer = gguf.GGUFWriter(target, "llama")
    for field in reader.fields.values():
        if field.name.startswith("GGUF.") or field.name == "general.architecture" or field.name.startswith("lrpatch."):
            continue
        sub_type = field.types[-1] if field.types[0] == gguf.GGUFValueType.ARRAY else None
        writer.add_key_value(field.name, field.contents(), field.types[0], sub_type=sub_type)
    for name, value in keys.items():
        kind = gguf.GGUFValueType.get_type(value)
        writer.add_key_value(f"llama.{name}", value, gguf.GGUFValueType.UINT32 if isinstance(value, int) else kind)
    for tensor in reader.tensors:
        writer.add_tensor(tensor.name, tensor.data, raw_shape=tensor.data.shape, raw_dtype=tensor.tensor_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def check_files():
    report = Report("llama.cpp")
    base = WORK / "scalings/base.gguf"
    result = lrpatch("convert", NEEDLE, "-o", base)
    assert result.returncode == 0, result.stderr
    for name, keys in FILES.items():
        model = WORK / f"scalings/{name}.gguf"
        with_keys(base, model, keys)
        arguments = ["--task", "perplexity", "--perplexity", TEXT, "--method", "llama.cpp", "--lengths", "256,512"]
        result = lrpatch("verify", model, *arguments, "--windows", 4, "--runtime", "llama.cpp", "--json")
        if result.returncode:
            report.check(name, "verify runs", False, result.stderr.strip())
            continue
        rows = json.loads(result.stdout)["perplexities"]
        measured = {row["length"]: row["perplexity"] for row in rows}
        for length, value in sorted(measured.items()):
            report.close(name, f"perplexity in chunks of {length}", value, llama_perplexity(model, length, 4), 3e-3)
    return report.failures


if __name__ == "__main__":
    raise SystemExit(1 if check_folders() + check_files() else 0)
