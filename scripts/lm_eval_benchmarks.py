"""lm-eval's benchmarks on files: its own tasks, few-shots, prompts, filters and scores, with `datasets` reading JSON lines.

For fixtures/make/make_golden_benchmarks.py and scripts/conformance/check_benchmarks.py. Run it with the Python of
scripts/peers.sh, which also makes the folder of packages that lm-eval's evaluator needs.
"""

import json
import os
import sys
import tempfile
from pathlib import Path

PEERS = Path(os.environ.get("LRPATCH_PEERS", Path.home() / ".cache/lrpatch-peers"))
sys.path.insert(0, str(PEERS / "lm-eval"))
os.environ.setdefault("HF_DATASETS_CACHE", tempfile.mkdtemp())
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import datasets  # noqa: E402
import lm_eval  # noqa: E402
from lm_eval.api.task import ConfigurableTask  # noqa: E402
from lm_eval.tasks._yaml_loader import load_yaml  # noqa: E402

datasets.disable_progress_bars()

TASKS = Path(lm_eval.__file__).parent / "tasks"
FILES = Path(__file__).resolve().parent.parent / "fixtures/benchmarks"
# The task's configuration, and the splits that it reads: of the questions, and of the few-shots.
CONFIGURATIONS = {
    "mmlu": ("mmlu/default/_default_template_yaml", "test", "dev"),
    "hellaswag": ("hellaswag/hellaswag.yaml", "validation", "train"),
    "arc_easy": ("arc/arc_easy.yaml", "test", "train"),
    "arc_challenge": ("arc/arc_challenge.yaml", "test", "train"),
    "truthfulqa_mc1": ("truthfulqa/truthfulqa_mc1.yaml", "validation", None),
    "winogrande": ("winogrande/default.yaml", "validation", "train"),
    "gsm8k": ("gsm8k/gsm8k.yaml", "test", "train"),
}


def data_file(task, part):
    split = CONFIGURATIONS[task][1 if part == "data" else 2]
    return split and FILES / f"{task}.{split}.jsonl"


def configurable(name, task, files, **changes):
    """One of lm-eval's tasks, unchanged but for where its rows come from."""
    configuration = load_yaml(TASKS / CONFIGURATIONS[task][0], resolve_func=True)
    rows = {split: str(file) for split, file in files.items()}
    configuration |= {"task": name, "dataset_path": "json", "dataset_name": None, "dataset_kwargs": {"data_files": rows}}
    configuration.pop("tag", None)
    return ConfigurableTask(config=configuration | changes)


def tasks(name, folder):
    """The task of a name; of MMLU one for each subject, as lm-eval has them. `folder` gets the rows of each subject."""
    _, data, shots = CONFIGURATIONS[name]
    files = {split: FILES / f"{name}.{split}.jsonl" for split in (data, shots) if split}
    if name != "mmlu":
        return [configurable(name, name, files)]
    rows = {split: [json.loads(line) for line in open(file, encoding="utf-8")] for split, file in files.items()}
    found = []
    for subject in dict.fromkeys(row["subject"] for row in rows[data]):
        parts = {split: Path(folder) / f"{subject}.{split}.jsonl" for split in rows}
        for split, part in parts.items():
            own = [json.dumps(row) + "\n" for row in rows[split] if row["subject"] == subject]
            part.write_text("".join(own), encoding="utf-8")
        topic = f"The following are multiple choice questions (with answers) about {subject.replace('_', ' ')}.\n\n"
        found.append(configurable(f"mmlu_{subject}", name, parts, description=topic))
    return found


def evaluate(model, names, shots=None, limit=None):
    """What lm-eval logs about each document, by task; those of MMLU's subjects one after the other.

    `shots` are the examples before each question, None for the task's own number.
    """
    with tempfile.TemporaryDirectory() as folder:
        found = {name: tasks(name, folder) for name in names}
        every = [task for group in found.values() for task in group]
        result = lm_eval.simple_evaluate(
            model=model, tasks=every, num_fewshot=shots, limit=limit, log_samples=True, bootstrap_iters=0, verbosity="ERROR"
        )  # fmt: skip
        samples = result["samples"]
        return {name: [sample for task in group for sample in samples[task.config.task]] for name, group in found.items()}
