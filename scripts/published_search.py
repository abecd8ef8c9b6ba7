#!/usr/bin/env python3
"""Runs the published LongRoPE search on a real model, on the CPU, to compare its speed and its results with `lrpatch search`:

    scripts/published_search.py MODEL_FOLDER --documents FILE.json --target-length N --output FILE.json
        [--algorithm dim_mono] [--iterations 40] [--seed 42] [--threads 2] [--batch auto] [--time-limit SECONDS]

Run it with the Python of scripts/peers.sh. MODEL_FOLDER is a Hugging Face folder of a Llama. The documents are a list of
lists of token ids, each of the target length. The population, the operators and the rotary module are those of
microsoft/LongRoPE, imported from the checkout that scripts/peers.sh makes or that LONGROPE_SOURCE names. Only the evaluator
is replaced, because the published one is another process with CUDA, half precision and flash attention. The one here gives
the same number as the published --truncate: exp of the mean over documents of the mean negative log-likelihood of the
tokens after the first.

It gets its fastest setting: float32, sdpa, torch.inference_mode, the model in the same process, one rotary module for all
layers, no logs in between. Documents run one at a time, all at once or in between, whichever is fastest (--batch auto
measures this before the clock starts). The clock runs from the first individual on.

The output has, for each iteration (0: the initial population): seconds, evaluations and tokens so far, the best fitness and
the best factors. `stopped` says what the time limit cut off.
"""

import argparse
import importlib
import json
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy
import torch
import transformers

PEERS = Path(os.environ.get("LRPATCH_PEERS", Path.home() / ".cache/lrpatch-peers"))
SOURCE = Path(os.environ.get("LONGROPE_SOURCE", PEERS / "longrope"))


class TimeIsUp(Exception):
    pass


class QuietProgress:
    def __init__(self, items, **_):
        self.items = items

    def __iter__(self):
        return iter(self.items)

    def set_postfix(self, **_):
        pass


class Geometry:
    def __init__(self, config, target):
        parameters = getattr(config, "rope_parameters", None) or {}
        self.theta = parameters.get("rope_theta") or getattr(config, "rope_theta", 10000.0)
        self.head = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        self.original, self.target = config.max_position_embeddings, target
        self.scale = target / self.original

    def arguments(self):
        """The arguments that the published search passes to its rotary modules."""
        return {
            "dim": self.head,
            "scale": self.scale,
            "max_position_embeddings": self.target,
            "original_max_position_embeddings": self.original,
            "base": self.theta,
            "model_type": "llama",
        }


class InProcess:
    """Replaces the published evaluator."""

    def __init__(self, model, rotary, documents, batch, limit):
        self.model, self.rotary, self.documents = model, rotary, torch.tensor(documents)
        self.batch, self.limit = batch, limit
        self.evaluations, self.tokens, self.best, self.start = 0, 0, (float("inf"), None), None

    def set_rope(self, arguments):
        arguments = {key: value for key, value in arguments.items() if key != "rope_class"}
        self.factors = arguments["rescale_factors"]
        self.model.model.rotary_emb = self.rotary(**arguments)

    @torch.inference_mode()
    def fitness(self, batch):
        losses = []
        for ids in self.documents.split(batch):
            logits = self.model(ids, use_cache=False).logits[:, :-1]
            loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten(), reduction="none")
            losses.append(loss.view(len(ids), -1).mean(1))
        return float(torch.cat(losses).mean().exp())

    def fastest_batch(self):
        times = {}
        for batch in {1, 2, len(self.documents)}:
            self.fitness(batch)
            for _ in range(2):
                start = time.perf_counter()
                self.fitness(batch)
                times[batch] = min(times.get(batch, float("inf")), time.perf_counter() - start)
        return min(times, key=times.get), times

    def get_result(self):
        if self.limit and self.seconds() > self.limit:
            raise TimeIsUp
        result = self.fitness(self.batch)
        self.evaluations += 1
        self.tokens += self.documents.numel()
        self.best = min(self.best, (result, self.factors))
        return result

    def seconds(self):
        return time.perf_counter() - self.start

    def record(self):
        return {"seconds": round(self.seconds(), 3), "evaluations": self.evaluations, "tokens": self.tokens}


def read_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--documents", type=Path, required=True)
    parser.add_argument("--target-length", type=int, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--algorithm", choices=["dim_mono", "dim_piece_mono"], default="dim_mono")
    parser.add_argument("--iterations", type=int, default=40)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch", default="auto", help="documents in one forward pass: a number or auto")
    parser.add_argument("--time-limit", type=float)
    arguments = parser.parse_args()
    documents = json.loads(arguments.documents.read_text())
    if {len(document) for document in documents} != {arguments.target_length}:
        sys.exit(f"{arguments.documents}: every document must have {arguments.target_length} tokens")
    return arguments, documents


def load_published():
    if not (SOURCE / "evolution/algorithms").is_dir():
        sys.exit(f"{SOURCE} has no checkout of LongRoPE; scripts/peers.sh makes one, or LONGROPE_SOURCE names one")
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(SOURCE))
    algorithms = importlib.import_module("evolution.algorithms")
    algorithms.genetic_base.tqdm = QuietProgress
    return algorithms, importlib.import_module("rope.longrope"), importlib.import_module("rope.yarn")


def yarn_factors(yarn, geometry):
    """The seed of the published search, for models other than Mistral's."""
    mask = yarn.YaRNScaledRotaryEmbedding(**geometry.arguments(), beta_fast=32, beta_slow=1).inv_freq_mask
    return (geometry.scale * (1 - mask) + 1.0 * mask).numpy()


def main():
    arguments, documents = read_arguments()
    torch.set_num_threads(arguments.threads)
    transformers.utils.logging.disable_progress_bar()
    algorithms, longrope, yarn = load_published()
    model = transformers.AutoModelForCausalLM.from_pretrained(arguments.model, dtype=torch.float32, attn_implementation="sdpa").eval()
    geometry = Geometry(model.config, arguments.target_length)
    seed = yarn_factors(yarn, geometry)
    rotary = longrope.LongRoPEScaledRotaryEmbedding
    evaluator = InProcess(model, rotary, documents, None, arguments.time_limit)
    evaluator.set_rope({"rescale_factors": seed.tolist(), **geometry.arguments()})
    measured = {}
    if arguments.batch == "auto":
        evaluator.batch, measured = evaluator.fastest_batch()
    else:
        evaluator.batch = int(arguments.batch)
    records = []
    published = {"dim_mono": algorithms.DimMonoGeneticAlgorithm, "dim_piece_mono": algorithms.DimPieceMonoGeneticAlgorithm}

    class Recorded(published[arguments.algorithm]):
        def log(self, iteration, population):
            best = population[0]
            found = {"fitness": best.ppl, "factors": self.extract_factors(best.factors).tolist()}
            records.append({"iteration": len(records), **evaluator.record(), **found})

    hyper = json.loads((SOURCE / f"evolution/default_hyper_params/{arguments.algorithm}.json").read_text())
    hyper["max_time_budget"] = arguments.iterations
    for generator in (torch.manual_seed, numpy.random.seed):
        generator(arguments.seed)
    stopped = None
    with tempfile.TemporaryDirectory() as folder:
        search = Recorded(
            [evaluator], geometry.scale, geometry.target, hyper, seed, geometry.arguments(), str(Path(folder) / "log.json"), folder
        )
        evaluator.start = time.perf_counter()
        try:
            search.run_genetic_algorithm()
        except TimeIsUp:
            stopped = {**evaluator.record(), "fitness": evaluator.best[0], "factors": evaluator.best[1]}
    versions = {"torch": torch.__version__, "transformers": transformers.__version__, "numpy": numpy.__version__}
    found = {"model": arguments.model.name, "algorithm": arguments.algorithm, "seed": arguments.seed, "threads": arguments.threads}
    found |= {"target_length": geometry.target, "scale": geometry.scale, "documents": len(documents), "batch": evaluator.batch}
    found |= {"mscale": model.model.rotary_emb.mscale, "seconds_per_batch_size": {str(key): round(value, 4) for key, value in measured.items()}}
    found |= {"versions": versions, "hyper_parameters": hyper, "iterations": records, "stopped": stopped}
    arguments.output.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
