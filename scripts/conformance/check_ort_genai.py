"""Checks the patched folders with ONNX Runtime GenAI: its model builder and its runtime.

The builder writes tables of cosines and sines into the model. Their first two rows give the frequencies and the scale, which
must equal what `lrpatch inspect` predicts; so must the length at which the graph changes the table. For one model, the logits
of the runtime must be those of transformers with the predicted tables put in by hand, to 1e-3 of the largest. Models that
inspect says fail must fail in the builder with that message.

Also shows that the builder drops the factors of Llama silently, and that the runtime, which generates across the original
window, recomputes cached keys only if that is 4096.
"""

import contextlib
import importlib
import io
import json
import re
import sys
import warnings

import numpy as np
import onnx
import onnxruntime_genai
import onnxruntime_genai.models
import transformers

from common import WORK, Report, inspect, lrpatch
from engines import Reference, check_refusal, keeps_short_keys, lengths, one_per_base, other_tables, refuses, table_at
from make_models import ARCHITECTURES, make_transformers_model, with_factors

FOLDER = WORK / "ort-genai"
TOLERANCE = 1e-5  # relative, of a frequency or the scale
THOROUGH = "phi3-v4-su"  # of which the logits are compared as well


def import_builder():
    sys.path.insert(0, onnxruntime_genai.models.__path__[0])
    return importlib.import_module("builder")


def build(builder, case):
    """As the program `onnxruntime_genai.models.builder` does."""
    out, target = FOLDER / case.name, ["fp32", "cpu", str(FOLDER / "cache")]
    places = [case.patched, "", str(out), *target]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        builder.create_model(*places, **builder.parse_extra_options(*places, []))
    return out


def tables_of(folder):
    """The tables by side, and the comparison that chooses one: "Greater 96"."""

    def array(tensor):
        return onnx.numpy_helper.to_array(tensor, base_dir=str(folder)).astype(float)

    def table(arrays):
        cosines, sines = [next(rows for name, rows in arrays if kind in name) for kind in ("cos", "sin")]
        scale = float(cosines[0].max())
        return {"inverse_frequencies": np.arctan2(sines[1], cosines[1]).tolist(), "mscale": scale}

    graph = onnx.load(str(folder / "model.onnx"), load_external_data=False).graph
    choices = [node for node in graph.node if node.op_type == "If" and "rope" in node.name]
    if not choices:
        caches = [(tensor.name, array(tensor)) for tensor in graph.initializer if "_cache" in tensor.name]
        return {"short": table(caches), "long": table(caches)}, ""
    tables = {}
    for branch in choices[0].attribute:
        constants = [node for node in branch.g.node if node.op_type == "Constant"]
        arrays = [(node.output[0], array(node.attribute[0].t)) for node in constants]
        tables["long" if branch.name == "then_branch" else "short"] = table(arrays)
    comparison = next(node for node in graph.node if node.output[0] == choices[0].input[0])
    return tables, f"{comparison.op_type} {comparison.input[1].rpartition('/')[2]}"


def check_tables(report, case, folder, entry):
    tables, comparison = tables_of(folder)
    for side, table in tables.items():
        foretold = entry[side]
        frequencies = foretold["inverse_frequencies"]
        report.close(case.name, f"{side} table, frequencies", table["inverse_frequencies"], frequencies, TOLERANCE)
        report.close(case.name, f"{side} table, scale", table["mscale"], foretold["mscale"], TOLERANCE)
    if entry["status"] == "ignored":
        return report.known(case.name, "its factors are dropped silently", not comparison, "the builder says nothing")
    limit = re.search(r"length > (\d+)$", entry["switch"])[1]
    return report.check(case.name, "it changes the table", comparison == f"Greater {limit}", comparison)


class Engine:
    def __init__(self, folder, case):
        self.model, self.window = onnxruntime_genai.Model(str(folder)), case.window

    def generator(self, **options):
        parameters = onnxruntime_genai.GeneratorParams(self.model)
        parameters.set_search_options(do_sample=False, **{"max_length": self.window - 1} | options)
        return onnxruntime_genai.Generator(self.model, parameters)

    def logits(self, tokens, **options):
        generator = self.generator(**options)
        generator.append_tokens(np.array(tokens, np.int32))
        return np.asarray(generator.get_logits()).reshape(-1)

    def generate(self, tokens, count):
        """All tokens after `count` were generated, and the logits after the last."""
        length = len(tokens) + count + 2
        generator = self.generator(max_length=length, min_length=length)
        generator.append_tokens(np.array(tokens, np.int32))
        for _ in range(count):
            generator.generate_next_token()
        return [int(token) for token in generator.get_sequence(0)], np.asarray(generator.get_logits()).reshape(-1)


def check_crossing(report, case, engine, reference, entry):
    """Generates four tokens from one below the original window on."""
    first = case.original_window - 1
    sequence, measured = engine.generate(reference.tokens(first), 4)
    kept, whole = [(first + 1, entry["short"]), (3, entry["long"])], [(first + 4, entry["long"])]
    keeps = keeps_short_keys(entry)
    others = [whole if keeps else kept, [(first + 4, entry["short"])]]
    what = f"{first} tokens and 4 generated, keys {'stay' if keeps else 'recomputed'}"
    found = reference.check(report, what, measured[-vocabulary(reference) :], sequence, kept if keeps else whole, others)
    if keeps:
        detail = "only at 4097 tokens, whatever the original window is"
        report.known(case.name, "keys are not recomputed", found, detail)


def vocabulary(reference):
    return reference.model.config.vocab_size


def check_runtime(report, case, folder, entry):
    engine, reference = Engine(folder, case), Reference(case)
    for length in [*lengths(case)[:3], 2 * case.original_window]:
        tokens, table = reference.tokens(length), table_at(entry, length)
        measured = engine.logits(tokens)[-vocabulary(reference) :]
        others = [[(length, other)] for other in other_tables(case, table)]
        reference.check(report, f"{length} tokens, {table['table']}, logits", measured, tokens, [(length, table)], others)
    check_crossing(report, case, engine, reference, entry)
    # A prompt in chunks within the original window mixes the tables.
    length, chunk = 2 * case.original_window, case.original_window // 3
    tokens = reference.tokens(length)
    measured = engine.logits(tokens, chunk_size=chunk)[-vocabulary(reference) :]
    passes = [(chunk, table_at(entry, end)) for end in range(chunk, length + 1, chunk)]
    others = [[(length, entry[side])] for side in ("short", "long")]
    reference.check(report, f"search.chunk_size {chunk}: mixed", measured, tokens, passes, others)


def check_case(report, case, builder):
    entry = case.inspected()["ort-genai"]
    if refuses(entry):
        return check_refusal(report, case, entry, lambda: build(builder, case))
    if entry["long"] is None:
        return
    folder = build(builder, case)
    check_tables(report, case, folder, entry)
    if case.name == THOROUGH:
        check_runtime(report, case, folder, entry)


def check_4096(report, builder):
    """A model whose original window is the one at which the runtime recomputes."""
    kind, theta, differences = ARCHITECTURES["phi3"]
    case = next(with_factors(make_transformers_model("phi3", "4096", kind, theta, differences, original_window=4096)))
    case.patched = str(FOLDER / f"{case.name}-patched")
    lrpatch("apply", case.factors, case.base, "-o", case.patched)
    json.dump(inspect(case.patched), open(case.patched + ".inspect.json", "w"))
    entry, folder = case.inspected()["ort-genai"], build(builder, case)
    check_tables(report, case, folder, entry)
    check_crossing(report, case, Engine(folder, case), Reference(case), entry)


def main():
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    FOLDER.mkdir()
    report, builder = Report("ORT GenAI"), import_builder()
    checks = [(case.name, check_case, (case, builder)) for case in one_per_base()]
    for name, check, arguments in [*checks, ("phi3-4096-su", check_4096, (builder,))]:
        try:
            check(report, *arguments)
        except Exception as error:
            report.check(name, "runs", False, f"{type(error).__name__}: {str(error)[:300]}")
    report.finish()


if __name__ == "__main__":
    main()
