"""The runs that a power loss strikes, and how to judge what it left."""

import json
import os
import shutil
from dataclasses import dataclass, field

REPOSITORY = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../.."))
MODELS = f"{REPOSITORY}/fixtures/models"
FACTORS = f"{MODELS}/needle-256-x4.factors.json"
SPLIT = "m/split/needle-256-x4-00001-of-00003.gguf"
SEARCH = (
    "--target-length 512 --algorithm longrope --documents 1 --population 8 --parents 4"
    " --mutants 4 --crossovers 4 --iterations 3 --threads 1 --no-progress"
).split()


# The old files; the new ones; some of them new, and the same command completed the rest; some of them
# there, and every command says so; anything else.
VERDICTS = ("old", "new", "completed", "told", "lost")


class Lost(Exception):
    """A state in which something is lost, or wrong, and nobody is told."""


@dataclass
class Goals:
    """The trees before and after the run, and all contents that each file had in between."""

    old: dict
    new: dict
    versions: dict  # the contents that each path ever had

    def name(self, tree):
        return "old" if tree == self.old else "new" if tree == self.new else None


@dataclass
class Scenario:
    """A command on a model in the folder `m`."""

    name: str
    # The fixture and the name of its copy in the folder.
    fixture: str
    place: str
    command: list
    # (scenario, bench, goals) to the verdict, one of VERDICTS; raises Lost.
    judge: object
    model: str = ""
    inserts: bool = True
    # Commands before the one that is struck.
    before: list = field(default_factory=list)

    def next_command(self, tree):
        """What a user runs who finds these files."""
        if self.judge is judge_model:
            return ["inspect", self.model, "--json"]
        if self.judge is judge_search and "f.json.checkpoint" in tree:
            return [*self.command[:6], "--resume", "m/f.json.checkpoint", "--no-progress"]
        return self.command

    def set_up(self, bench):
        bench.clear()
        source, target = f"{MODELS}/{self.fixture}", f"{bench.folder}/{self.place}"
        shutil.copytree(source, target) if os.path.isdir(source) else shutil.copy(source, target)
        for command in self.before:
            expect_success(bench.run(command))


def expect_success(result):
    if result.returncode != 0:
        raise RuntimeError(f"{result.args}: {result.stderr}")


# MARK: Verdicts


def judge_model(scenario, bench, goals):
    """The next command finds the old model or the new one, or puts it back."""
    first = bench.run(scenario.next_command(bench.tree()))
    # While a file has no name, only `revert` puts it back.
    result = first if first.returncode == 0 else bench.run(["revert", scenario.model])
    found = goals.name(bench.tree())
    if result.returncode != 0 or not found:
        raise Lost(f"inspect: exit {first.returncode}: {first.stderr}; " + describe(result, bench.tree(), goals))
    return found


def judge_output(scenario, bench, goals):
    """The output is complete or absent. If only some of its files are there, it cannot be opened."""
    tree = bench.tree()
    found = goals.name(tree)
    if not all(path in tree and tree[path] == value for path, value in goals.old.items()):
        raise Lost("the original has changed")
    if not all(path in goals.new and value == goals.new[path] for path, value in tree.items()):
        raise Lost("an incomplete file has the name of a complete one: " + difference(tree, goals))
    result = bench.run(scenario.command)
    if result.returncode == 0 and bench.tree() == goals.new:
        return "old"
    if found != "new":
        part = min(path for path in tree if path not in goals.old)
        if bench.run(["inspect", f"m/{part}"]).returncode == 0:
            raise Lost(f"{part} is incomplete, and opens as if it were not")
    if result.returncode != 4 or "already exists" not in result.stderr or bench.tree() != tree:
        raise Lost(describe(result, bench.tree(), goals))
    return found or "told"


def judge_documents(scenario, bench, goals):
    """Every file is as it was at some time, and the same command completes the work."""
    tree = bench.tree()
    check_versions(tree, goals)
    result = bench.run(scenario.command)
    if result.returncode != 0 or bench.tree() != goals.new:
        raise Lost(describe(result, bench.tree(), goals))
    return goals.name(tree) or "completed"


def judge_search(scenario, bench, goals):
    """The search goes on from its last checkpoint, and finds what it would have found.

    It never reads temporary files, so states that differ only in these are judged once. Once the
    factors are there, a checkpoint that is there too does no harm.
    """
    tree = bench.tree()
    check_versions(tree, goals)
    names = {path: hash(value) for path, value in tree.items()}
    if "f.json" not in tree and names not in bench.judged:
        bench.judged.append(names)
        result = bench.run(scenario.next_command(tree))
        if result.returncode != 0 or found_factors(bench.tree()) != found_factors(goals.new):
            raise Lost(describe(result, bench.tree(), goals))
    return "new" if "f.json" in tree else goals.name(tree) or "completed"


def found_factors(tree):
    return json.loads(tree["f.json"][1])["long_factor"] if "f.json" in tree else None


def check_versions(tree, goals):
    for path, value in tree.items():
        if value[1] is not None and value[1] not in goals.versions.get(path, ()):
            raise Lost(f"{path} has contents that were never complete")


def describe(result, tree, goals):
    return f"exit {result.returncode}; {difference(tree, goals)}; {result.stderr.strip()[-400:]}"


def difference(tree, goals):
    paths = sorted(set(tree) | set(goals.old) | set(goals.new))
    wrong = [path for path in paths if tree.get(path) not in (goals.old.get(path), goals.new.get(path))]
    mixed = [path for path in paths if tree.get(path) != goals.old.get(path)]
    return f"wrong: {wrong}" if wrong else f"not old: {mixed}"


# MARK: The table


def model_scenarios():
    kinds = [
        ("folder", "needle-256-x4", "model", "m/model", (True,)),
        ("GGUF", "needle-256-x4.gguf", "model.gguf", "m/model.gguf", (True, False)),
        ("split GGUF", "needle-256-x4-split", "split", SPLIT, (True, False)),
    ]
    for kind, fixture, place, model, ways in kinds:
        apply = ["apply", FACTORS, model, "-q"]
        for inserts in ways:
            way = "" if len(ways) == 1 else ", blocks inserted" if inserts else ", copied"
            for command, before in ((apply, []), (["revert", model], [apply])):
                yield Scenario(
                    f"{command[0]} {kind}{way}", fixture, place, command, judge_model, model, inserts, before
                )


def stacked_scenarios():
    """Reverts of the second of two applies."""
    for kind, fixture, place in (("folder", "needle-256-x4", "model"), ("GGUF", "needle-256-x4.gguf", "model.gguf")):
        model = f"m/{place}"
        applies = [["apply", FACTORS, model, "-q"], ["apply", FACTORS, model, "-q", "--target-length", "2048"]]
        yield Scenario(
            f"revert second apply, {kind}", fixture, place, ["revert", model], judge_model, model, before=applies
        )


def output_scenarios():
    folder, gguf = ("needle-256-x4", "model"), ("needle-256-x4.gguf", "model.gguf")
    split = ("needle-256-x4-split", "split")
    convert = "--type f16 --threads 1 -q --max-shard-size".split()
    for name, source, command in (
        ("apply -o, folder", folder, ["apply", FACTORS, "m/model", "-q", "-o", "m/out"]),
        ("apply -o, GGUF", gguf, ["apply", FACTORS, "m/model.gguf", "-q", "-o", "m/out.gguf"]),
        ("apply -o, split GGUF", split, ["apply", FACTORS, SPLIT, "-q", "-o", "m/out"]),
        ("convert to folder", gguf, ["convert", "m/model.gguf", "-o", "m/out", *convert, "700K"]),
        ("convert to GGUF", folder, ["convert", "m/model", "-o", "m/new/out.gguf", *convert, "2G"]),
        ("convert to split GGUF", folder, ["convert", "m/model", "-o", "m/out.gguf", *convert, "700K"]),
    ):
        yield Scenario(name, *source, command, judge_output)


def document_scenarios():
    patched = [["apply", FACTORS, "m/model", "-q"]]
    source = ("needle-256-x4", "model")
    yield Scenario("card", *source, ["card", "m/model", "-q"], judge_documents, before=patched)
    yield Scenario("provenance", *source, ["provenance", "m/model", "-q", "--no-progress"], judge_documents)
    yield Scenario(
        "provenance again",
        *source,
        ["provenance", "m/model", "-q", "--no-progress"],
        judge_documents,
        before=[["provenance", "m/model", "-q", "--no-progress"], *patched],
    )
    yield Scenario(
        "search",
        *source,
        ["search", "m/model", "-o", "m/f.json", "--log", "m/f.log", *SEARCH],
        judge_search,
        "m/model",
    )


def scenarios():
    return [*model_scenarios(), *stacked_scenarios(), *output_scenarios(), *document_scenarios()]
