"""Runs llama.cpp's convert_hf_to_gguf.py on a model with the tokenizer of needle-256.

The converter refuses tokenizers whose hash it does not know, and some architectures' converters require a SentencePiece
vocabulary. needle-256 has a byte-level BPE that splits digits, as llama.cpp's `smollm` pre-tokenizer does. So this script
gives it that name and always writes the vocabulary as BPE. The converter does everything else.

    hf_to_gguf.py MODEL_FOLDER --outfile OUT.gguf [--outtype f32|f16|bf16]

LLAMA_CPP_SOURCE is the llama.cpp source tree, by default <peers>/llama.cpp-source with <peers> as in peers.sh.
"""

import os
import sys
from pathlib import Path

peers = Path(os.environ.get("LRPATCH_PEERS", Path.home() / ".cache" / "lrpatch-peers"))
source = Path(os.environ.get("LLAMA_CPP_SOURCE", peers / "llama.cpp-source"))
sys.path[:0] = [str(source), str(source / "gguf-py")]

import convert_hf_to_gguf  # noqa: E402
import transformers  # noqa: E402


def with_needle_vocabulary(model_class):
    """The same converter class, but it writes the vocabulary as byte-level BPE, as do the classes inside it to which it
    leaves the work."""
    for each in [model_class, *filter(lambda member: isinstance(member, type), vars(model_class).values())]:
        each.get_vocab_base_pre = lambda self, tokenizer: "smollm"
        each.set_vocab = lambda self: self._set_vocab_gpt2()
    return model_class


def main():
    # Load the tokenizer as the file defines it: the classes of some families would add tokens.
    transformers.AutoTokenizer.from_pretrained = transformers.PreTrainedTokenizerFast.from_pretrained
    find_class = convert_hf_to_gguf.get_model_class
    convert_hf_to_gguf.get_model_class = lambda *a, **k: with_needle_vocabulary(find_class(*a, **k))
    convert_hf_to_gguf.main()


if __name__ == "__main__":
    main()
