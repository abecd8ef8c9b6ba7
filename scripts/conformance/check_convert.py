"""Checks `lrpatch convert`.

Folder to GGUF: tensors and keys equal those of llama.cpp's converter, byte for byte. With factors, llama-perplexity gives
the reference's number (transformers, MLX-LM for MiniCPM) beyond the original window, where the converter's own file does
not. GGUF to folder: transformers and MLX-LM load the folder and give the original's log-probabilities, for our files and
for the converter's. Tokenizers of four families survive both ways.
"""

import contextlib
import io
import json
import logging
import shutil
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(REPOSITORY / "scripts"))
import hf_to_gguf  # noqa: E402  before gguf, because it comes with a newer one

import gguf
import mlx.core as mx
import torch
import transformers
from safetensors.torch import load_file
from tokenizers import Tokenizer

from check_llama_cpp import precisely, reference, run
from check_tokenizers import BY_TRANSFORMERS, TORTURE, compare, exported, mixtures, probe, vocabulary
from check_verify import predictions, sample
from chunks import chunk_tokens, perplexity
from common import FIXTURES, WORK, Case, Report, load_cases, lrpatch

FOLDER = WORK / "convert"
NAME = "conformance"
TOLERANCE = 1e-5
# Keys that the converter derives from names and cards, leaves at defaults, or loses.
NOT_COMPARED = ("general.name", "general.basename", "general.finetune", "general.version", "tokenizer.ggml.add_sep_token")
OURS_ALONE = ("lrpatch.", "general.name", "tokenizer.ggml.add_eos_token", "tokenizer.ggml.add_bos_token")
LOST = (".rope.scaling.original_context_length", ".rope.scaling.attn_factor", ".rope.scaling.type", ".rope.freq_base", ".attention.value_length",
        ".attention.head_count_kv")


def convert(report, case, what, *arguments):
    result = lrpatch("convert", *arguments, "--no-progress", "-q")
    return report.check(case, f"convert, {what}", result.returncode == 0, result.stderr.strip()[:300] if result.returncode else "")


def convert_with_llama_cpp(folder, file, kind):
    """Runs llama.cpp's converter in this process, since importing it takes longest."""
    arguments = sys.argv
    sys.argv = ["convert_hf_to_gguf.py", str(folder), "--outfile", str(file), "--outtype", kind, "--model-name", NAME]
    logging.disable(logging.CRITICAL)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            hf_to_gguf.main()
    finally:
        sys.argv = arguments
        logging.disable(logging.NOTSET)


def fields(reader):
    return {name: field.contents() for name, field in reader.fields.items() if not name.startswith("GGUF.")}


def check_files(report, case, what, ours, theirs, lost=()):
    ours, theirs = gguf.GGUFReader(ours), gguf.GGUFReader(theirs)
    mine = {tensor.name: tensor for tensor in ours.tensors}
    wrong = [
        tensor.name for tensor in theirs.tensors
        if tensor.name not in mine or mine[tensor.name].tensor_type != tensor.tensor_type
        or mine[tensor.name].data.tobytes() != tensor.data.tobytes() or list(mine[tensor.name].shape) != list(tensor.shape)
    ]  # fmt: skip
    more = sorted(set(mine) - {tensor.name for tensor in theirs.tensors})
    dropped = [name for name in more if name.startswith("rope_factors_")]
    report.check(case, f"{what}, tensors byte for byte", not wrong and more == dropped, f"{len(mine)} tensors; differ: {wrong[:3]} {more}")
    mine, other = fields(ours), fields(theirs)
    different = [name for name, value in other.items() if name not in NOT_COMPARED and not name.endswith(lost) and mine.get(name) != value]
    alone = [name for name in mine if name not in other and not name.startswith(OURS_ALONE) and not name.endswith(LOST)]
    report.check(case, f"{what}, keys", not different and not alone, f"{len(mine)} keys; differ: {[(n, other[n], mine.get(n)) for n in different][:2]} only ours: {alone}")


def check_against_converter(report, name):
    """Checks all four types for one config style, and one type for the other."""
    base = WORK / "base" / name
    if name.startswith("minicpm3") and not name.endswith("-256"):
        refused = lrpatch("convert", base, "-o", FOLDER / "refused.gguf")
        report.check(name, "multipliers that llama.cpp does not have", refused.returncode == 4, refused.stderr.strip()[:100])
    for kind in ["f32", "f16", "bf16", "q8_0"] if not name.endswith("-v5") else ["bf16"]:
        mine, theirs = FOLDER / f"{name}.{kind}.gguf", FOLDER / f"{name}.{kind}.theirs.gguf"
        if not convert(report, name, kind, base, "-o", mine, "--type", kind, "--name", NAME, "--allow-divergent"):
            continue
        convert_with_llama_cpp(base, theirs, kind)
        check_files(report, name, kind, mine, theirs)
        if kind in ["f32", "bf16"]:
            # The converter writes no theta for minicpm3, and llama.cpp knows one set of multipliers.
            files = [("", mine)] + ([(" of the converter", theirs)] if not name.endswith("-v5") and name != "minicpm3-v4" else [])
            for whose, file in files:
                if kind == "f32":
                    check_way_back(report, name, f"f32{whose}, and back", file, base)
                else:
                    check_rounded(report, name, f"bf16{whose}, and back", file, base)
        mine.unlink()
        theirs.unlink()


def model_type(folder):
    return json.load(open(f"{folder}/config.json"))["model_type"]


def case_of(folder):
    return Case("", str(folder), model_type(folder), 0, 0, 0, 0, 1, "")


def check_rounded(report, name, what, file, original):
    """Checks that rounded weights come back rounded, and that norms and the like come back unchanged."""
    back = FOLDER / "back"
    shutil.rmtree(back, ignore_errors=True)
    if not convert(report, name, what, file, "-o", back):
        return
    found, expected = weights(back), weights(original)
    wrong = [key for key in expected if key not in found or not any(torch.equal(found[key].float(), x.float()) for x in [expected[key].bfloat16(), expected[key]])]
    report.check(name, f"{what}, {len(found)} tensors", not wrong and len(found) == len(expected), f"differ: {wrong[:3]}")


def weights(folder):
    tensors = {}
    for file in Path(folder).glob("*.safetensors"):
        tensors |= load_file(file)
    return tensors


def check_way_back(report, name, what, file, original, lengths=(40,)):
    back = FOLDER / "back"
    shutil.rmtree(back, ignore_errors=True)
    if not convert(report, name, what, file, "-o", back):
        return
    for length in lengths:
        tokens = sample(original, length)
        expected, found = predictions(case_of(original), original)(tokens), predictions(case_of(back), back)(tokens)
        difference = (expected - found).abs().max().item()
        report.check(name, f"{what}, log-probabilities of {length} tokens", difference <= 2e-5, f"{difference:.1e}")


def check_factors(report, case):
    """Checks that one pass with --factors gives the same bytes as a patched folder, and the reference's perplexity."""
    once, twice, theirs = (FOLDER / f"{case.name}.{what}.gguf" for what in ["once", "twice", "theirs"])
    folder = FOLDER / f"{case.name}.patched"
    divergent = ["--allow-divergent"] if case.literal else []
    if not convert(report, case.name, "--factors", case.base, "-o", once, "--factors", case.factors, "--type", "f32", "--name", NAME, *divergent):
        return
    lrpatch("apply", case.factors, case.base, "-o", folder, *divergent)
    convert(report, case.name, "a patched folder", folder, "-o", twice, "--type", "f32", "--name", NAME, *divergent)
    report.check(case.name, "in one pass or in two, the same bytes", once.read_bytes() == twice.read_bytes())
    convert_with_llama_cpp(folder, theirs, "f32")
    # The converter derives mscale from the windows, whatever the config says.
    check_files(report, case.name, "patched, f32", once, theirs, (".attn_factor",) if case.literal else ())
    if case.model_type != "phimoe":
        for context, table in [(case.original_window, "short"), (case.window, "long")]:
            expected = perplexity(reference(case, table), chunk_tokens(case.base, context))
            measured = precisely(once, context)
            report.close(case.name, f"llama-perplexity {measured:.4f}, -c {context}", measured, expected, TOLERANCE)
            if table == "long" and case.model_type in ["llama", "mistral", "granite", "minicpm"]:
                other = precisely(theirs, context)
                report.known(case.name, "the converter drops LongRoPE", abs(other / expected - 1) > 10 * TOLERANCE, f"{other:.4f}")
    if not case.literal:
        check_way_back(report, case.name, "patched, and back", once, folder, (case.original_window, case.window))
    # A file without preserved configs: the converter's, patched in place.
    plain = FOLDER / f"{case.name}.plain.gguf"
    convert_with_llama_cpp(case.base, plain, "f32")
    lrpatch("apply", case.factors, plain, *divergent)
    if not case.literal:
        check_way_back(report, case.name, "patched as GGUF, and back", plain, folder, (case.original_window, case.window))
    retyped = FOLDER / f"{case.name}.retyped.gguf"
    plain.unlink()
    convert_with_llama_cpp(case.base, plain, "f32")
    if convert(report, case.name, "GGUF with --factors", plain, "-o", retyped, "--factors", case.factors, *divergent):
        for context in [case.original_window, case.window]:
            report.close(case.name, f"GGUF with --factors, -c {context}", precisely(retyped, context), precisely(once, context), TOLERANCE)
    for file in [once, twice, theirs, plain, retyped]:
        file.unlink(missing_ok=True)
    shutil.rmtree(folder)


def check_quantized(report):
    """Checks every type of the trained model: llama.cpp runs it, and the folder made from it gives the same perplexity."""
    model = FIXTURES / "models/needle-256-x4"
    exact = predictions(case_of(model), model)(sample(model, 200))
    for kind in ["q8_0", "q4_0", "q4_1", "q5_0", "q5_1", "q4_k", "q5_k", "q6_k"]:
        file, back = FOLDER / f"needle.{kind}.gguf", FOLDER / "back"
        if not convert(report, "needle-256-x4", kind, model, "-o", file, "--type", kind):
            continue
        shutil.rmtree(back, ignore_errors=True)
        convert(report, "needle-256-x4", f"{kind}, back as f32", file, "-o", back, "--type", "f32")
        found = predictions(case_of(back), back)(sample(model, 200))
        divergence = (exact.exp() * (exact - found)).sum(-1).mean().item()
        report.check("needle-256-x4", f"{kind}, mean KL of the way back", divergence < 0.1, f"{divergence:.1e}")
        measured = precisely(file, 256)
        expected = perplexity(predictions(case_of(back), back), chunk_tokens(model, 256))
        report.close("needle-256-x4", f"{kind}, llama-perplexity {measured:.4f}", measured, expected, 0.01)


def check_split(report):
    """Checks that llama-gguf-split merges our shards, and that we merge its shards."""
    tools = run.__globals__["TOOLS"]
    whole, parts = FIXTURES / "models/needle-256-x4.gguf", FOLDER / "parts"
    parts.mkdir()
    convert(report, "split", "into files of 500 KB", whole, "-o", parts / "ours.gguf", "--max-shard-size", "500K")
    first = sorted(parts.glob("ours-00001-of-*.gguf"))[0]
    run(tools / "llama-gguf-split", "--merge", first, parts / "merged.gguf")
    expected = {tensor.name: tensor.data.tobytes() for tensor in gguf.GGUFReader(whole).tensors}
    def same(path):
        return {tensor.name: tensor.data.tobytes() for tensor in gguf.GGUFReader(path).tensors} == expected
    report.check("split", "llama-gguf-split merges it", same(parts / "merged.gguf"))
    run(tools / "llama-gguf-split", "--split", "--split-max-tensors", 9, whole, parts / "theirs")
    first = sorted(parts.glob("theirs-00001-of-*.gguf"))[0]
    convert(report, "split", "llama-gguf-split's, merged", first, "-o", parts / "back.gguf")
    report.check("split", "merged, the same tensors", same(parts / "back.gguf"))
    report.check("split", "merged, the same bytes", (parts / "back.gguf").read_bytes() == whole.read_bytes())
    report.close("split", "llama-perplexity of our shards", precisely(sorted(parts.glob("ours-00001*"))[0], 256), precisely(whole, 256), 1e-9)


def with_vocabulary(folder, tokenizer):
    """Makes a tiny model with as many tokens as the tokenizer."""
    size = max(Tokenizer.from_file(str(tokenizer)).get_vocab(True).values()) + 1
    config = transformers.LlamaConfig(vocab_size=size, hidden_size=32, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2,
                                      max_position_embeddings=64, tie_word_embeddings=True)
    config.save_pretrained(folder)
    transformers.LlamaForCausalLM(config).bfloat16().save_pretrained(folder)
    return folder


def check_tokenizer(report, name):
    folder = exported(name)
    with_vocabulary(folder, folder / "tokenizer.json")
    # llama.cpp derives from the class's name which tokens swallow white space.
    file, back = FOLDER / f"{name}.gguf", FOLDER / f"{name}.back"
    if not convert(report, name, "its vocabulary", folder, "-o", file, "--name", name):
        return
    texts = TORTURE + mixtures(400)
    # GGUF does not store the flags of added tokens, and llama.cpp also puts a space before a text that begins with one.
    plain = [text for text in texts if "<" not in text and (name != "llama-spm" or not text.startswith((" ", "\u2581")))]
    library = Tokenizer.from_file(f"{folder}/tokenizer.json")
    expected = [library.encode(text, add_special_tokens=False).ids for text in plain]
    compare(report, name, "as GGUF", plain, probe(file, plain), expected)
    shipped = probe(vocabulary(name), plain)
    compare(report, name, "as GGUF, and llama.cpp's own file", plain, probe(file, plain), shipped)
    convert(report, name, "and back", file, "-o", back)
    again = Tokenizer.from_file(f"{back}/tokenizer.json")
    compare(report, name, "back, by the tokenizers library", texts, [again.encode(text, add_special_tokens=False).ids for text in texts],
            [library.encode(text, add_special_tokens=False).ids for text in texts])
    same = json.loads((back / "tokenizer.json").read_text()) == json.loads((folder / "tokenizer.json").read_text())
    report.check(name, "back, the same tokenizer.json", same)
    # The same without the preserved configs, as in a file by llama.cpp.
    stripped = FOLDER / f"{name}.stripped.gguf"
    without_kept_keys(file, stripped)
    shutil.rmtree(back)
    convert(report, name, "a vocabulary of llama.cpp's, to a folder", stripped, "-o", back)
    again = Tokenizer.from_file(f"{back}/tokenizer.json")
    compare(report, name, "of llama.cpp's, by the tokenizers library", plain, [again.encode(text, add_special_tokens=False).ids for text in plain], shipped)
    shutil.rmtree(back)


def without_kept_keys(source, target):
    """Writes a copy without the keys that lrpatch adds, with gguf-py."""
    reader = gguf.GGUFReader(source)
    writer = gguf.GGUFWriter(target, reader.fields["general.architecture"].contents())
    for name, field in reader.fields.items():
        if name.startswith(("GGUF.", "lrpatch.")) or name == "general.architecture":
            continue
        kind = field.types[0]
        writer.add_key_value(name, field.contents(), kind, sub_type=field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None)
    for tensor in reader.tensors:
        writer.add_tensor(tensor.name, tensor.data, raw_shape=tensor.data.shape, raw_dtype=tensor.tensor_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main():
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    mx.set_default_device(mx.cpu)
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    report = Report("convert")
    names = sorted(folder.name for folder in (WORK / "base").iterdir())
    names = [name for name in names if not name.startswith(("phi3small", "llama-wide"))]
    checks = [(check_against_converter, name) for name in names]
    checks += [(check_factors, case) for case in load_cases("gguf.json")]
    checks += [(check_tokenizer, name) for name in BY_TRANSFORMERS]
    for check, subject in checks:
        try:
            check(report, subject)
        except Exception as error:
            name = subject if isinstance(subject, str) else subject.name
            report.check(name, f"{check.__name__} runs", False, f"{type(error).__name__}: {str(error)[:400]}")
    for check in [check_quantized, check_split]:
        try:
            check(report)
        except Exception as error:
            report.check("trained", f"{check.__name__} runs", False, f"{type(error).__name__}: {str(error)[:400]}")
    report.finish()


if __name__ == "__main__":
    main()
