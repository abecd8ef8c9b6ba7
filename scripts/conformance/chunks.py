"""Perplexity as llama-perplexity computes it: over whole chunks of the text, each with its first token replaced by the
beginning-of-sequence token, and the predictions of the second half scored."""

import math

import torch
from tokenizers import Tokenizer

from common import TEXT

BOS = 0
TOKENS = 6144  # how many tokens of the text are used


def chunk_count(length):
    return TOKENS // length


def chunk_tokens(folder, length):
    """The beginning of the text as lists of `length` tokens."""
    tokens = Tokenizer.from_file(f"{folder}/tokenizer.json").encode(TEXT.read_text(encoding="utf-8")).ids
    assert tokens[0] == BOS and len(tokens) >= TOKENS
    return [[BOS, *tokens[i * length + 1 : (i + 1) * length]] for i in range(chunk_count(length))]


def perplexity(log_probabilities, chunks):
    """The perplexity of the chunks; `log_probabilities(tokens)` gives a tensor of (tokens, vocabulary)."""
    total, count = 0.0, 0
    for tokens in chunks:
        first = len(tokens) // 2
        predicted = log_probabilities(tokens)[first:-1].double()
        targets = torch.tensor(tokens[first + 1 :])
        total -= predicted.gather(1, targets[:, None]).sum().item()
        count += len(targets)
    return math.exp(total / count)
