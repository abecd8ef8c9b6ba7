"""Checks the tokenizers of `lrpatch verify`: with the cases that llama.cpp ships with its vocabularies, with
llama-tokenize on the same files, and with the tokenizers library on what transformers makes of those files and on
variants of them with other normalizers, pre-tokenizers and added tokens.

    check_tokenizers.py [TEXT...]     texts of any size; by default fixtures/text/moby-dick-opening.txt
"""

import copy
import json
import os
import random
import subprocess
import sys
from pathlib import Path

import transformers
from tokenizers import Tokenizer
from transformers import AutoTokenizer

from common import LRPATCH, NEEDLE, PEERS, TEXT, WORK, Report

PROBE = os.environ.get("LRPATCH_PROBE", LRPATCH.rpartition("/")[0] + "/lrpatch-probe")
LLAMA_TOKENIZE = PEERS / "llama.cpp/bin/llama-tokenize"
VOCABULARIES = PEERS / "llama.cpp-source/models"
SHIPPED = ["command-r", "gpt-2", "llama-bpe", "llama-spm", "mpt", "phi-3", "qwen2", "qwen35", "refact", "starcoder"]
BY_LLAMA_CPP = ["llama-bpe", "llama-spm", "phi-3", "qwen2", "qwen35", "refact", "baichuan", "aquila", "gpt-neox"]
BY_TRANSFORMERS = ["llama-spm", "llama-bpe", "phi-3", "qwen2"]
REFUSED = ["bert-bge", "deepseek-coder", "deepseek-llm", "falcon", "gemma-4", "nomic-bert-moe"]

TORTURE = [
    "", " ", "  ", "   x", "x   ", "\n", "\n\n\n x", "\t\t\tx\t", "\r\n\r\n", " \r \n \v \f x", "a\u00a0b\u3000c\u2003\u2003d",
    "\x85\x1c\x1d\u200b\u2028\u2029\ufeffx", "".join(map(chr, range(1, 33))), "\0", "a\0\0b", "\x7f\x80\x9f",
    "1", "12", "123", "1234", "0123456789" * 30, "3.14159,26-53 58", "１２３ ٣٤٥ ४५६ ²³ ½ Ⅷ ㊿", "x1y22z333",
    "don't DON'T I'LL we'Ve it'ſ 'tis 'S'T'RE' o'clock l'été 'd'd 'll'll", "can''t  'm 're",
    "C'est l'été à Nîmes — cœur, naïve façade", "e\u0301 é \u00e5 a\u030a \u212b Å \u1f77 \u03af \u2126 Ω \uf900 豈 ﬁ ﬀ",
    "\u0301\u0301 a\u0301\u0302\u0303\u0304 \u0e01\u0e34\u0e48 क्षि हिन्दी नमस्ते", "Z\u0351\u036b\u0343a\u0302l\u0327g\u0323o\u0338",
    "日本語のテキスト、漢字とかな。ｶﾀｶﾅ", "中文没有空格的句子很长。你好，世界！", "한국어 텍스트 \u1112\u1161\u11ab", "ไทยไม่มีช่องว่าง",
    "😀😀 👩‍👩‍👧‍👦 🇫🇷🇩🇪 👍🏽 ☃️ 1️⃣ 🏴\U000e0067\U000e0062\U000e007f", "𝒜𝓑𝐂 𐍈 𠀀𠀁 \U0010ffff \ufffe \uffff \ue000",
    "مرحبا بالعالم‏ שלום ‎", "русский ТЕКСТ Ёж", "ΑΒΓ αβγς ΣΊΣΥΦΟΣ", "HTTPServerError XMLHttpRequest camelCase snake_case",
    "if (x != 0) { return a[i]->b(&c) ** 2; } // ok\n\n\tdef f(self):\n\t\tpass\n", "!!!???...---===###$$$%%%^^^&&&***",
    "\u2581\u2581a\u2581b \u2581 c\u2581", "<0x0A> <0x41><0xFF>", "Ġ Ċ ĠĠ é Ã©", "a" * 3000, "ab " * 800, " " * 1500 + "x" + "\n" * 700,
    "é" * 500, "日" * 700, "\u0301" * 300, "!" * 900, "👍" * 300, "A" * 50 + "b" * 50 + "9" * 50,
    "<s>x</s>", " <s> x </s> y", "<|user|>\n hi <|end|> \n<|assistant|>  ok", "<unk><s></s>\u00a0x",
    "<|begin_of_text|>a<|eot_id|> b<|end_of_text|>", "<|im_start|>user\nhi<|im_end|>\n<|endoftext|>  <|endoftext|>", "<|im_start", "<s",
]
# What remains of bytes that are not UTF-8 when a reader replaces them with U+FFFD.
INVALID = [b"\xff\xfe\xfd", b"a\x80b\xc3", b"\xc3\x28 \xe2\x82 \xe2\x28\xa1", b"\xf0\x9f\x98 \xf0\x9f\x98\x80\xf0", b"\xed\xa0\x80 \xc0\xaf",
           b"\xf4\x90\x80\x80", bytes(range(128, 256))]
TORTURE += [data.decode("utf-8", errors="replace") for data in INVALID]


def mixtures(count=1500):
    """Random texts of the characters of the torture text; the same every time."""
    generator = random.Random(7)
    characters = sorted(set("".join(TORTURE))) + [" ", "\n", "'", "a", "B", "1"] * 12
    parts = ["<s>", "</s>", "<|user|>", "<|endoftext|>", "<|im_end|>", "'s", "'LL", " the", "ing", "  ", "\r\n", "123"]
    return ["".join(generator.choice(characters if generator.random() < 0.85 else parts) for _ in range(generator.randint(1, 60)))
            for _ in range(count)]


def probe(model, texts):
    result = subprocess.run([PROBE, "tokenize", str(model)], input=json.dumps({"texts": texts}), capture_output=True, text=True)
    if result.returncode:
        lines = [line for line in result.stderr.splitlines() if line.strip()]
        raise RuntimeError(lines[0] if lines else f"exit {result.returncode}")
    return json.loads(result.stdout)


def compare(report, case, what, texts, found, expected):
    wrong = [index for index, pair in enumerate(zip(found, expected)) if pair[0] != pair[1]]
    passed = not wrong and len(found) == len(expected) == len(texts)
    tokens = sum(map(len, expected))
    detail = f"{len(wrong)} of {len(texts)} texts differ, the first {texts[wrong[0]][:80]!r}" if wrong else f"{tokens} ids"
    report.check(case, f"{what}, {len(texts)} texts", passed, detail)


def vocabulary(name):
    return VOCABULARIES / f"ggml-vocab-{name}.gguf"


def check_shipped(report, name):
    file = vocabulary(name)
    texts = Path(f"{file}.inp").read_bytes().decode().split("\n__ggml_vocab_test__\n")
    lines = Path(f"{file}.out").read_text().split("\n")
    expected = [[int(word) for word in line.split()] for line in lines][: len(texts)]
    compare(report, name, "llama.cpp's own cases", texts, probe(file, texts), expected)


def llama_tokenize(name, text):
    file = WORK / "tokenize.txt"
    file.write_bytes(text.encode())
    result = subprocess.run([LLAMA_TOKENIZE, "-m", vocabulary(name), "-f", file, "--ids", "--no-bos", "--log-disable"],
                            capture_output=True, text=True, errors="replace")
    lines = [line for line in result.stdout.splitlines() if line.startswith("[")]
    if result.returncode or not lines:
        raise RuntimeError(f"llama-tokenize {name}: exit {result.returncode}: {result.stderr[-300:]}")
    return json.loads(lines[-1])


def check_llama_cpp(report, name, texts):
    # llama-tokenize cuts a text at a zero, and treats unassigned characters as neither letters nor symbols.
    torture = [text for text in TORTURE if text and "\0" not in text and not set(text) & set("\ufffe\uffff\U0010ffff\U000e0067")]
    # It treats a token as a control token if its text is that of another model's control token, whatever its type.
    named = {"qwen2": "</s>", "qwen35": "</s>", "aquila": "<|endoftext|>"}.get(name)
    torture = [text for text in torture if not named or named not in text]
    # After a token that swallows white space, its isspace accepts \v, and only the ASCII ones of Unicode's spaces.
    torture = [text for text in torture if not (name == "phi-3" and text == "<unk><s></s>\u00a0x")]
    expected = [llama_tokenize(name, text) for text in torture + texts]
    compare(report, name, "llama-tokenize", torture + texts, probe(vocabulary(name), torture + texts), expected)


def check_library(report, case, folder, texts, what="the tokenizers library"):
    tokenizer = Tokenizer.from_file(f"{folder}/tokenizer.json")
    expected = [tokenizer.encode(text, add_special_tokens=False).ids for text in texts]
    compare(report, case, what, texts, probe(folder, texts), expected)


def exported(name):
    """Writes the tokenizer.json that transformers' GGUF loader makes."""
    folder = WORK / f"tokenizer-{name}"
    folder.mkdir(exist_ok=True)
    tokenizer = AutoTokenizer.from_pretrained(VOCABULARIES, gguf_file=f"ggml-vocab-{name}.gguf")
    tokenizer.backend_tokenizer.save(f"{folder}/tokenizer.json")
    return folder


def split(pattern, behavior="Isolated", invert=False, kind="Regex"):
    return {"type": "Split", "pattern": {kind: pattern}, "behavior": behavior, "invert": invert}


def sequence(*steps):
    return {"type": "Sequence", "pretokenizers": [*steps, {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}]}


def metaspace(scheme, splits):
    return {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": scheme, "split": splits}


CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
LOWER = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
UPPER = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
SPACES = r"\s*[\r\n]+|\s+(?!\S)|\s+"
# The expressions of Phi-4-mini, Mistral Nemo, Qwen 3.5 and MiniCPM5, as in their tokenizer.json files.
CUTS = {
    "gpt-4o": sequence(split(LOWER + CONTRACTIONS + "?|" + UPPER + CONTRACTIONS + r"?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|" + SPACES)),
    "tekken": sequence(split(LOWER + "|" + UPPER + r"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|" + SPACES)),
    "qwen35": sequence(split(CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|" + SPACES)),
    "minicpm5": sequence(split(r"\p{N}{1,3}"), split(CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}+| ?[^\s\p{L}\p{N}]+[\r\n]*|" + SPACES)),
    "deepseek": sequence(split("[\r\n]"), split(r"\s?\p{L}+"), split(r"\s?\p{P}+"), split("[一-龥ࠀ-一가-퟿]+"), {"type": "Digits", "individual_digits": True}),
    "digits": sequence({"type": "Digits", "individual_digits": False}, {"type": "Punctuation", "behavior": "Contiguous"}),
    "words": sequence({"type": "Whitespace"}),
    "spaces": sequence({"type": "WhitespaceSplit"}, {"type": "Punctuation", "behavior": "MergedWithPrevious"}),
    "empty matches": sequence(split(r"(?=(\d{3})+(?!\d))")),
    "lines": sequence(split(r"^.*$", "MergedWithNext")),
    "gpt2 with a space": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
    "none": sequence(),
    **{f"{behavior}{' inverted' if invert else ''}": sequence(split(pattern, behavior, invert), split(" a", behavior, invert, "String"))
       for behavior in ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"]
       for invert, pattern in [(False, r"\s|[aeiou]+"), (True, r"\p{L}")]},
}
FORMS = {
    **{form: {"type": form} for form in ["NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents"]},
    "Strip": {"type": "Strip", "strip_left": True, "strip_right": True},
    "Replace": {"type": "Sequence", "normalizers": [{"type": "Replace", "pattern": {"Regex": r"\d+|''"}, "content": "#"},
                                                   {"type": "Replace", "pattern": {"String": "a"}, "content": "\u2581b"}, {"type": "NFC"}]},
}
MARKS = {f"{scheme}{' split' if splits else ''}": metaspace(scheme, splits) for scheme in ["always", "first", "never"] for splits in [True, False]}
FLAGS = [
    {"content": "<|end|>", "lstrip": True}, {"content": "</s>", "rstrip": True}, {"content": "<|user|>", "lstrip": True, "rstrip": True},
    {"content": "the", "single_word": True}, {"content": "ing", "normalized": True}, {"content": "  ", "normalized": True},
    {"content": " b", "normalized": True, "rstrip": True}, {"content": "ab"}, {"content": "abab"}, {"content": "é", "single_word": True, "lstrip": True},
]


def variants(folder, kind):
    """Copies of a tokenizer.json, each with one change."""
    base = json.loads((folder / "tokenizer.json").read_text())
    spm = base["model"]["byte_fallback"]
    for name, step in (MARKS if spm else CUTS).items():
        yield f"{kind}, {name}", {"pre_tokenizer": step, "normalizer": None}
    # Metaspace's `first` depends on where a piece began in the text before the normalizer, which lrpatch does not track.
    always = {"pre_tokenizer": metaspace("always", False)} if spm else {}
    for name, step in FORMS.items():
        yield f"{kind}, {name}", {"normalizer": step} | always
    yield f"{kind}, flags", {"added_tokens": flagged(base)}
    if spm:
        marks = [{"type": "Prepend", "prepend": "\u2581"}, {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"}]
        normal = {"type": "Sequence", "normalizers": marks}
        yield f"{kind}, Prepend", {"normalizer": normal, "pre_tokenizer": None}
        yield f"{kind}, Prepend, flags", {"normalizer": normal, "pre_tokenizer": None, "added_tokens": flagged(base)}
        for fuse in [True, False]:
            vocabulary = {name: id for name, id in base["model"]["vocab"].items() if not name.startswith("<0x8")}
            yield f"{kind}, unknown, fused {fuse}", {"model": base["model"] | {"vocab": vocabulary, "unk_token": "<unk>", "fuse_unk": fuse}}
    yield f"{kind}, ignoring merges", {"model": base["model"] | {"ignore_merges": not base["model"]["ignore_merges"]}}


def flagged(base):
    tokens = [token for token in copy.deepcopy(base["added_tokens"]) if all(token["content"] != flag["content"] for flag in FLAGS)]
    vocabulary = base["model"]["vocab"]
    following = max([*vocabulary.values(), *(token["id"] for token in base["added_tokens"])]) + 1
    plain = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": False}
    known = {token["content"]: token["id"] for token in base["added_tokens"]}
    for flag in FLAGS:
        id = vocabulary.get(flag["content"], known.get(flag["content"]))
        tokens.append({"id": following if id is None else id, **plain, **flag})
        following += id is None
    return sorted(tokens, key=lambda token: token["id"])


def check_variants(report, folder, kind, texts):
    target = WORK / "tokenizer-variant"
    target.mkdir(exist_ok=True)
    for case, change in variants(folder, kind):
        base = json.loads((folder / "tokenizer.json").read_text())
        (target / "tokenizer.json").write_text(json.dumps(base | change))
        try:
            check_library(report, case, target, texts, "the tokenizers library, variant")
        except Exception as error:
            report.check(case, "is read", False, f"{type(error).__name__}: {str(error)[:300]}")


def check_refused(report, name):
    try:
        probe(vocabulary(name), ["x"])
        report.check(name, "is refused", False)
    except RuntimeError as error:
        report.check(name, "is refused", "not supported" in str(error), str(error).rpartition("gguf: ")[2])


def main():
    transformers.logging.set_verbosity_error()
    report = Report("tokenizers")
    books = [Path(name).read_bytes().decode("utf-8", errors="replace") for name in sys.argv[1:] or [TEXT]]
    texts = TORTURE + mixtures()
    for name in SHIPPED:
        check_shipped(report, name)
    for name in BY_LLAMA_CPP:
        check_llama_cpp(report, name, books)
    check_library(report, "needle-256", NEEDLE, texts + books)
    for name in BY_TRANSFORMERS:
        check_library(report, name, exported(name), texts + books)
    for name in ["llama-spm", "qwen2"]:
        check_variants(report, WORK / f"tokenizer-{name}", name, texts)
    for name in REFUSED:
        check_refused(report, name)
    report.finish()


if __name__ == "__main__":
    main()
