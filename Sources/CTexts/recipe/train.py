#!/usr/bin/env python3
"""Trains a model that `lrpatch apply` patched, on mixed windows, with the data that `lrpatch mix` wrote next to this script.

    python train.py MODEL OUT                                 one device
    torchrun --nproc-per-node 8 train.py MODEL OUT            several; or accelerate launch, with FSDP or DeepSpeed

As in LongRoPE2 (arXiv 2502.20082), section 3.3, rows of short segments are trained with the short factors, and rows of long
segments with the long factors. transformers takes the long factors for a whole batch if its longest position is beyond the
original window, so all rows of a batch are of one kind. Long rows may skip positions (PoSE, LongRecipe).

Needs torch, transformers (4.57 or newer), accelerate and safetensors. Downloads nothing.
"""

import argparse
import json
import math
import os
import shutil
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, Trainer, TrainingArguments

SHORT, LONG = 0, 1


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("model", type=Path, metavar="MODEL", help="a folder that `lrpatch apply` patched; it is only read")
    add("out", type=Path, metavar="OUT", help="a new folder for the trained model")
    add("--data", type=Path, default=Path(__file__).resolve().parent, help="the folder of mix.json (default: the script's)")
    add("--epochs", type=float, default=1.0, help="passes over the rows (default: 1)")
    add("--steps", type=int, default=-1, help="optimizer steps; overrides --epochs")
    add("--batch-rows", type=int, default=1, help="rows in a batch of one device (default: 1)")
    add("--accumulation", type=int, default=16, help="batches of each device in one step (default: 16)")
    add("--learning-rate", type=float, default=2e-5, help="the peak rate, which falls to 0 along a cosine (default: 2e-5)")
    add("--warmup-steps", type=int, default=10, help="steps in which the learning rate rises (default: 10)")
    add("--weight-decay", type=float, default=0.0, help="AdamW's weight decay (default: 0)")
    add("--dtype", choices=["bf16", "fp32"], default="bf16", help="the type of products; weights are trained in float32 (default: bf16)")
    add("--attention", choices=["sdpa", "flash_attention_2", "eager"], default="sdpa", help="the attention implementation (default: sdpa)")
    add("--gradient-checkpointing", action="store_true", help="use less memory and about a third more time")
    add("--seed", type=int, default=0, help="the random seed (default: 0)")
    add("--log-steps", type=int, default=10, help="steps between two log lines (default: 10)")
    add("--save-steps", type=int, default=500, help="steps between two checkpoints, in OUT/checkpoints; 0: none (default: 500)")
    add("--resume", action="store_true", help="continue from the last checkpoint of OUT")
    add("--trainer", type=json.loads, default={}, metavar="JSON", help="further members of transformers' TrainingArguments")
    options = parser.parse_args()
    if min(options.batch_rows, options.accumulation) < 1:
        parser.error("--batch-rows and --accumulation must be 1 or more")
    if options.attention.startswith("flash") and options.dtype == "fp32":
        parser.error("flash attention does not support float32: use --dtype bf16")
    return options


class Rows(torch.utils.data.Dataset):
    """The rows of mix-*.safetensors in their order, but grouped so that every `batch_rows` rows are of one kind."""

    def __init__(self, folder, mix, batch_rows):
        self.files, self.places, self.kinds = [], [], []
        for number, entry in enumerate(mix["files"]):
            file = safe_open(folder / entry["name"], framework="pt")
            shape, found = [entry["rows"], mix.get("row_tokens", mix["window"])], file.get_tensor("kind").tolist()
            if any(file.get_slice(name).get_shape() != shape for name in ("input_ids", "position_ids")) or len(found) != shape[0]:
                raise SystemExit(f"{entry['name']} is not the file that mix.json describes.")
            self.files.append(file)
            self.places += [(number, row) for row in range(shape[0])]
            self.kinds += found
        self.order, waiting = [], {SHORT: [], LONG: []}
        for row, kind in enumerate(self.kinds):
            waiting[kind].append(row)
            if len(waiting[kind]) == batch_rows:
                self.order += waiting[kind]
                waiting[kind] = []
        for kind, rest in waiting.items():
            if rest:  # fill the last batch of a kind with the kind's first rows
                own = [row for row, other in enumerate(self.kinds) if other == kind]
                self.order += (rest + own * batch_rows)[:batch_rows]

    def __len__(self):
        return len(self.order)

    def __getitem__(self, index):
        number, row = self.places[self.order[index]]
        tensors = {name: self.files[number].get_slice(name)[row : row + 1] for name in ("input_ids", "position_ids")}
        return tensors | {"kind": self.kinds[self.order[index]]}


class Collator:
    """Makes a batch of rows. Only positions say where segments begin: transformers derives its mask from them.

    A long row that skips positions is one segment. There a mask says so, or transformers would begin a segment at each gap.
    """

    def __init__(self, original_window, flatten, skips):
        self.original_window, self.flatten, self.skips = original_window, flatten, skips

    def __call__(self, rows):
        tokens, positions = (torch.cat([row[name] for row in rows]).long() for name in ("input_ids", "position_ids"))
        if any(row["kind"] == SHORT for row in rows) and positions.max() >= self.original_window:
            raise SystemExit("A batch of short rows has positions beyond the original window: `kind` and positions disagree.")
        whole = self.skips and all(row["kind"] == LONG for row in rows)
        if self.flatten and not whole:  # for flash attention, transformers splits a batch into segments only if it is one row
            tokens, positions = tokens.reshape(1, -1), positions.reshape(1, -1)
        labels = tokens.masked_fill(positions == 0, -100)  # the first token of a segment is not predicted
        batch = {"input_ids": tokens, "position_ids": positions, "labels": labels}
        return batch | {"attention_mask": torch.ones_like(tokens)} if whole else batch


def read_rope(config):
    """Reads config.json in the layout of transformers 5 or 4: (lists by kind, original window, theta, mscale)."""
    rope = {**(config.get("rope_scaling") or {}), **(config.get("rope_parameters") or {})}
    if rope.get("rope_type", rope.get("type")) not in ("longrope", "su") or "long_factor" not in rope:
        raise SystemExit("config.json has no long factors: patch the model with `lrpatch apply` first.")
    window = config.get("original_max_position_embeddings") or rope.get("original_max_position_embeddings")
    if not window:
        raise SystemExit("config.json has no original window: patch the model with `lrpatch apply` first.")
    theta, scale = rope.get("rope_theta", config.get("rope_theta", 10000.0)), config["max_position_embeddings"] / window
    mscale = rope.get("attention_factor") or (math.sqrt(1 + math.log(scale) / math.log(window)) if scale > 1 else 1.0)
    return {SHORT: rope["short_factor"], LONG: rope["long_factor"]}, window, theta, mscale


def check_tables(model, config):
    """Refuses a model whose rotary module does not use the factors of config.json, chosen by the longest position."""
    factors, window, theta, mscale = read_rope(config)
    rotary = getattr(model.base_model, "rotary_emb", None)
    if rotary is None:
        raise SystemExit(f"{type(model).__name__} has no model.rotary_emb; this recipe does not know its rotary embedding.")
    # At position 1 each pair's angle is its frequency. The short table must come back after the long one.
    for kind, longest in ((SHORT, window - 1), (LONG, window), (SHORT, 1)):
        exponents = torch.arange(0, 2 * len(factors[kind]), 2, dtype=torch.float64) / (2 * len(factors[kind]))
        angles = 1 / (torch.tensor(factors[kind], dtype=torch.float64) * theta**exponents)
        try:
            cos, sin = rotary(torch.zeros(1, dtype=torch.float32), torch.tensor([[0, 1, longest]]))
        except Exception as error:
            raise SystemExit(f"The rotary embedding of {type(model).__name__} does not run: {error}") from error
        for found, wanted in ((cos, angles.cos()), (sin, angles.sin())):
            found, wanted = found[0, 1].double(), mscale * torch.cat((wanted, wanted))
            if found.shape != wanted.shape or not torch.allclose(found, wanted, rtol=1e-4, atol=1e-9):
                raise SystemExit(
                    f"A batch whose longest position is {longest} does not get the {['short', 'long'][kind]} factors and the "
                    f"mscale {mscale:.6g} of config.json: this version of transformers reads the model differently."
                )


@torch.no_grad()
def check_segments(model, collate, vocabulary, window, tolerance):
    """Refuses to train if a segment sees the one before it: its logits must be the same packed and alone."""
    device, length = next(model.parameters()).device, min(window, 256)
    tokens = torch.randint(vocabulary, (2, length), generator=torch.Generator().manual_seed(0))
    cuts = (length // 2, length - length // 4)  # the rows of a batch are cut at different places

    def logits(rows):  # [(tokens, the starts of the segments)]
        places = [torch.cat([torch.arange(n) for n in torch.tensor([*begins, len(t)]).diff().tolist()]) for t, begins in rows]
        batch = collate([{"input_ids": t[None], "position_ids": p[None], "kind": SHORT} for (t, _), p in zip(rows, places)])
        del batch["labels"]
        return model(**{name: tensor.to(device) for name, tensor in batch.items()}, use_cache=False).logits.float()

    packed = logits([(row, (0, cut)) for row, cut in zip(tokens, cuts)]).reshape(2, length, -1)
    for row, cut, together in zip(tokens, cuts, packed):
        alone = logits([(row[cut:], (0,))])[0]
        difference = ((together[cut:] - alone).norm() / (alone - alone.mean(-1, keepdim=True)).norm()).item()
        if not difference < tolerance:
            raise SystemExit(f"Logits of a packed segment differ from those of the segment alone by {difference:.2g} of their size.")


@torch.no_grad()
def check_gaps(model, collate, vocabulary, window):
    """Refuses to train if tokens do not see those before a gap in the positions of a long row."""
    device, length = next(model.parameters()).device, min(window // 2, 128)
    tokens = torch.randint(vocabulary, (2 * length,), generator=torch.Generator().manual_seed(0))
    positions = torch.arange(2 * length) + (torch.arange(2 * length) >= length) * window

    def logits(part):
        batch = collate([{"input_ids": tokens[None, part], "position_ids": positions[None, part], "kind": LONG}])
        del batch["labels"]
        return model(**{name: tensor.to(device) for name, tensor in batch.items()}, use_cache=False).logits.float()[0]

    whole, alone = logits(slice(None))[length:], logits(slice(length, None))
    if (whole - alone).norm() < 1e-2 * (alone - alone.mean(-1, keepdim=True)).norm():
        raise SystemExit("Tokens do not see those before a gap in the positions: this version of transformers cannot train such rows.")


class MixedWindowTrainer(Trainer):
    def _get_train_sampler(self, *_):
        return torch.utils.data.SequentialSampler(self.train_dataset)  # the rows are already shuffled and grouped

    def training_step(self, model, *rest):
        if self.check is not None:  # before the first step, with the model as the devices hold and train it
            model.eval()
            self.check(model)
            self.check = None
        return super().training_step(model, *rest)


def complete(original, out):
    """Makes OUT a patched model like MODEL, with its tensor types, its config.json and its tokenizer.

    save_pretrained writes the RoPE settings of config.json only in its own version's layout, without what other runtimes read,
    and the tokenizer's files in its own form. So MODEL's files are copied. They stay valid because weights get the types that
    they have in MODEL. MODEL's undo record is not copied, because it is about MODEL's weights.
    """
    types = {}
    for path in original.glob("*.safetensors"):
        with safe_open(path, framework="pt") as file:
            types |= {name: file.get_slice(name)[:0].dtype for name in file.keys()}
    size = 0
    for path in out.glob("*.safetensors"):
        tensors = {name: tensor.to(types.get(name, tensor.dtype)).contiguous() for name, tensor in load_file(path).items()}
        size += sum(tensor.nbytes for tensor in tensors.values())
        save_file(tensors, path, metadata={"format": "pt"})
    if (index := out / "model.safetensors.index.json").exists():
        document = json.loads(index.read_text())
        document["metadata"]["total_size"] = size
        index.write_text(json.dumps(document, indent=2) + "\n")
    weights = {".safetensors", ".bin", ".pt", ".pth", ".gguf"}
    for path in original.iterdir():
        if path.is_file() and path.suffix not in weights and path.name[0] != "." and not path.name.endswith(".index.json"):
            shutil.copyfile(path, out / path.name)
    (out / "training_args.bin").unlink(missing_ok=True)


def main():
    options = parse_options()
    mix, config = (json.loads(path.read_text()) for path in (options.data / "mix.json", options.model / "config.json"))
    _, window, _, _ = read_rope(config)
    if mix["schema"] != "lrpatch.mix/1":
        raise SystemExit(f"mix.json is {mix['schema']}; this recipe reads lrpatch.mix/1.")
    if mix["original_window"] != window or mix["window"] > config["max_position_embeddings"]:
        raise SystemExit(
            f"The data is for a window of {mix['original_window']} tokens extended to {mix['window']}, "
            f"but the model has {window} extended to {config['max_position_embeddings']}."
        )
    if mix["vocabulary_size"] > config["vocab_size"]:
        raise SystemExit(f"The data is for a vocabulary of {mix['vocabulary_size']} tokens, but the model has {config['vocab_size']}.")
    if options.out.resolve() in (options.model.resolve(), options.data.resolve()):
        raise SystemExit("OUT must be a folder of its own.")

    flash = options.attention.startswith("flash")
    settings = dict(
        output_dir=str(options.out / "checkpoints"),
        num_train_epochs=options.epochs,
        max_steps=options.steps,
        per_device_train_batch_size=options.batch_rows,
        gradient_accumulation_steps=options.accumulation,
        learning_rate=options.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=options.warmup_steps,
        weight_decay=options.weight_decay,
        optim="adamw_torch",
        bf16=options.dtype == "bf16",
        use_cpu=not torch.accelerator.is_available(),
        # rotary modules keep the table of the last batch in a buffer, and another process may have the other kind
        ddp_broadcast_buffers=False,
        remove_unused_columns=False,
        logging_steps=options.log_steps,
        save_strategy="steps" if options.save_steps else "no",
        save_steps=options.save_steps or 500,
        save_total_limit=2,
        seed=options.seed,
        report_to="none",
    )
    if options.gradient_checkpointing:
        settings |= {"gradient_checkpointing": True, "gradient_checkpointing_kwargs": {"use_reentrant": False}}
    arguments = TrainingArguments(**(settings | options.trainer))
    if arguments.n_gpu > 1:
        raise SystemExit("One process sees several GPUs: start one process for each, with torchrun or accelerate launch.")
    with arguments.main_process_first():
        if not options.resume and options.out.exists() and any(options.out.iterdir()) and arguments.process_index == 0:
            raise SystemExit(f"{options.out} is not empty; use --resume to continue with it.")
    model = AutoModelForCausalLM.from_pretrained(options.model, dtype=torch.float32, attn_implementation=options.attention)
    model.config.use_cache = False  # with a cache, transformers does not look for segments
    check_tables(model, config)

    rows, collate = Rows(options.data, mix, options.batch_rows), Collator(window, flash, mix.get("positions", "full") != "full")
    trainer = MixedWindowTrainer(model=model, args=arguments, train_dataset=rows, data_collator=collate)
    tolerance = 1e-3 if options.dtype == "fp32" else 5e-2

    def check(model):
        check_segments(model, collate, config["vocab_size"], window, tolerance)
        if collate.skips:
            check_gaps(model, collate, config["vocab_size"], window)

    trainer.check = check
    trainer.train(resume_from_checkpoint=options.resume or None)
    trainer.save_model(str(options.out))
    if trainer.is_world_process_zero():
        complete(options.model, options.out)
        print(f"The trained model is in {options.out}. Next: lrpatch verify {options.out} --baseline MODEL_BEFORE_ITS_PATCH")


if __name__ == "__main__":
    main()
