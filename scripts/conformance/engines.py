"""What the checks of the further engines share: the cases, the tables that `lrpatch inspect` predicts, and a model of
transformers with those tables put in by hand, for engines of which only logits can be seen.

The checks of an engine run in its own environment, which scripts/peers-engines.sh makes; see check_more_engines.py.
"""

import json
import math
import re
import shutil

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from common import load_cases

# Why inspect gives no table though the engine does not refuse the model, as far as is known.
NOT_REFUSED = ["it is not known to run models of this family", "lrpatch follows it only with factors", "reads GGUF files only"]
# Of a comparison of logits, relative to the largest. Everything is computed in single precision.
LOGITS = 1e-3


def one_per_base():
    """Every base model once: those of transformers 4 with mscale su, those of transformers 5 with a literal one."""
    return [case for case in load_cases() if case.literal == case.base.endswith("-v5")]


def table_at(entry, length):
    """The table that inspect predicts for a forward pass that ends with `length` tokens."""
    if not entry["switch"]:
        return entry["long"]
    offset, limit = re.search(r"(?:input( \+ 1)?|position \+ 1|length) > (\d+)$", entry["switch"]).groups()
    return entry["long" if length + bool(offset) > int(limit) else "short"]


def keeps_short_keys(entry):
    """Whether inspect says that keys cached within the original window are not recomputed beyond it."""
    return any("keep their short rotation" in note for note in entry["notes"])


def lengths(case):
    """Two just within the original window, one just beyond it, and one that fills the window."""
    return [case.original_window - 1, case.original_window, case.original_window + 1, case.window]


def refuses(entry):
    """Whether inspect says that the engine does not load the model; its first note is then the engine's message."""
    is_known = not any(words in entry["notes"][0] for words in NOT_REFUSED) if entry["notes"] else False
    return entry["long"] is None and is_known


def check_refusal(report, case, entry, run, says={}):
    """Checks that the engine fails with the message that inspect gives, or with one that `says` lists for it."""
    message, what = entry["notes"][0], "fails as inspect says"
    try:
        run()
    except Exception as error:
        found = " ".join(f"{type(error).__name__}: {error}".split())
        expected = says.get(message, [message])
        as_foretold = any(all(part in found for part in words.split(": ")) for words in expected)
        return report.check(case.name, what, as_foretold, found[:160] + ("" if as_foretold else f", not: {message}"))
    return report.check(case.name, what, False, f"it runs, but should say: {message}")


def copy_with_words(model, folder):
    """A copy whose tokenizer has one word of a text for each token: w0, w1, and so on."""
    shutil.copytree(model, folder)
    vocabulary = {f"w{i}": i for i in range(json.load(open(folder / "config.json"))["vocab_size"])}
    words = Tokenizer(models.WordLevel(vocabulary, unk_token="w2"))
    words.pre_tokenizer, words.decoder = pre_tokenizers.WhitespaceSplit(), decoders.ByteLevel()
    words.save(str(folder / "tokenizer.json"))
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "w0", "eos_token": "w1", "unk_token": "w2"}
    settings["chat_template"] = "{% for message in messages %}{{ message['content'] }}{% endfor %}"
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    (folder / "generation_config.json").write_text("{}")


class Reference:
    """A patched model in transformers, whose rotary module is replaced by given frequencies and scale."""

    def __init__(self, case, folder=None):
        transformers.logging.set_verbosity_error()
        transformers.utils.logging.disable_progress_bar()
        options = {"dtype": torch.float32, "attn_implementation": "eager"}
        self.model = transformers.AutoModelForCausalLM.from_pretrained(folder or case.patched, **options).eval()
        self.case = case

    def tokens(self, count):
        """Arbitrary tokens, none of them special."""
        generator = torch.Generator().manual_seed(5)
        return torch.randint(3, self.model.config.vocab_size, (count,), generator=generator).tolist()

    def use(self, table):
        frequencies = torch.tensor(table["inverse_frequencies"], dtype=torch.float64)

        def forward(x, position_ids, *arguments, **keywords):
            angles = position_ids[..., None].double() * frequencies
            angles = torch.cat([angles, angles], -1)
            return (angles.cos() * table["mscale"]).float(), (angles.sin() * table["mscale"]).float()

        for module in self.model.modules():
            if hasattr(module, "inv_freq"):
                module.forward = forward

    def logits(self, tokens, passes):
        """The logits after the last token; `passes` are (number of tokens, table), each over the keys of the former."""
        cache, done = transformers.DynamicCache(), 0
        for count, table in passes:
            self.use(table)
            positions = torch.arange(done, done + count)[None]
            with torch.no_grad():
                part = torch.tensor([tokens[done : done + count]])
                logits = self.model(part, past_key_values=cache, position_ids=positions, use_cache=True).logits
            done += count
        return logits[0, -1]

    def check(self, report, what, measured, tokens, passes, others, tolerance=LOGITS, seen=lambda logits: logits):
        """Compares what is seen of the engine's logits with those of the predicted passes, which must differ much more
        from those of every other possible table."""
        measured = torch.as_tensor(measured, dtype=torch.float64)

        def difference(passes):
            expected = seen(self.logits(tokens, passes)).double()
            return ((measured - expected).abs().max() / expected.abs().max()).item()

        found = difference(passes)
        nearest = min(difference(other) for other in others)
        detail = f"{found:.1e} (with the nearest other table {nearest:.1e})"
        return report.check(self.case.name, what, found <= tolerance and nearest > 10 * found, detail)


def other_tables(case, table):
    """The tables other than the predicted one: all frequencies that the model could have, with all scales."""
    lists = case.factor_lists()
    pairs = len(lists["long_factor"])
    all_factors = [[1.0] * pairs, lists["short_factor"], lists["long_factor"]]
    derived = math.sqrt(1 + math.log(case.window / case.original_window) / math.log(case.original_window))
    tables = [
        {"inverse_frequencies": [case.theta ** (-i / pairs) / factors[i] for i in range(pairs)], "mscale": mscale}
        for factors in all_factors
        for mscale in {1.0, case.mscale_value(), derived}
    ]
    return [other for other in tables if not same(other, table)]


def same(first, second):
    pairs = zip(first["inverse_frequencies"], second["inverse_frequencies"])
    return abs(first["mscale"] - second["mscale"]) < 1e-6 and all(abs(a / b - 1) < 1e-6 for a, b in pairs)
