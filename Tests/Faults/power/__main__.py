#!/usr/bin/env python3
"""Recovers what a power loss may leave of a run of lrpatch.

A run is recorded by recorder.c. For each moment of it and each rule (rules.py) the states that a
power loss may leave are built (states.py), each once put on a real folder (bench.py), and the next
command of a user runs on it (scenarios.py). Then the recovery itself is struck in the same way.

    python3 Tests/Faults/power                         all; prints a table in Markdown
    python3 Tests/Faults/power --quick                 a part of it, in seconds
    python3 Tests/Faults/power --self-test             shows that forgotten fsyncs are found
    python3 Tests/Faults/power --only 'apply GGUF, copied' --rule none --state 1234 --keep FOLDER
                                                       puts one state into a folder
"""

import argparse
import collections
import concurrent.futures
import os
import random
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field

from bench import JOURNAL, Bench
from rules import RULES
from run import Run
from scenarios import REPOSITORY, VERDICTS, Goals, Lost, expect_success, judge_model, scenarios
from states import moments, states

# What `--quick` runs: each way of writing once, under the rule that promises least and the one that moves blocks.
QUICK = {
    "apply folder": ["none"],
    "revert second apply, folder": ["none"],
    "apply GGUF, blocks inserted": ["xfs"],
    "revert GGUF, blocks inserted": ["xfs"],
    "apply split GGUF, copied": ["none"],
    "apply -o, folder": ["none"],
    "card": ["none"],
    "provenance": ["none"],
}


# What `--self-test` forgets: (run, rule, the fsyncs, counted from 1).
MUTATIONS = [
    # The journal, the name of the undo record.
    ("apply folder", "none", (1, 4)),
    # The journal, the edited file.
    ("apply GGUF, blocks inserted", "xfs", (1, 3)),
    # The copy that replaces the file. Before it a journal was written and taken back.
    ("apply GGUF, copied", "xfs", (6,)),
]


@dataclass
class Outcome:
    """The figures of a scenario under a rule."""

    scenario: str
    rule: str
    possible: int = 0
    built: int = 0
    distinct: int = 0
    verdicts: collections.Counter = field(default_factory=collections.Counter)
    recoveries: int = 0
    again: collections.Counter = field(default_factory=collections.Counter)
    failures: list = field(default_factory=list)


class Strike:
    """One scenario under one rule."""

    def __init__(self, scenario, rule, bench, options):
        self.scenario = scenario
        self.rule = rule
        self.bench = bench
        self.options = options
        self.outcome = Outcome(scenario.name, rule.name)

    def play(self):
        run, goals = self.record()
        all_moments = moments(run, self.rule)
        self.outcome.possible = sum(moment.number_of_states for moment in all_moments)
        found = self.build(all_moments, self.options.states)
        self.outcome.distinct = len(found)
        self.must_be_new = {state.key for state in states(all_moments[-1:], 1000, self.seeded("end"))}
        healed = []
        for number, state in self.chosen(found):
            if self.options.stop and self.outcome.failures:
                break
            if self.judge(number, state, run, goals):
                healed.append((number, state))
        self.strike_recoveries(healed, run, goals)
        return self.outcome

    def chosen(self, found):
        """The states that are recovered, in random order: those after the end of the run, and all or some others."""
        last = [item for item in found.items() if item[1].key in self.must_be_new]
        others = [item for item in found.items() if item[1].key not in self.must_be_new]
        rest = max(0, self.options.run - len(last))
        return last + self.seeded("run").sample(others, min(len(others), rest))

    def seeded(self, purpose):
        return random.Random(f"{self.options.seed} {self.scenario.name} {self.rule.name} {purpose}")

    def record(self):
        """Records the run, and checks that replaying all of it gives what it left."""
        self.scenario.set_up(self.bench)
        old = self.bench.tree()
        result, disk, contents, records = self.bench.record(self.scenario.command)
        expect_success(result)
        new = self.bench.tree()
        run = Run(disk, contents, records, self.bench.folder, self.options.drop_fsync)
        last = moments(run, self.rule)[-1]
        self.bench.put(last.observed(run.now, {}), run)
        if self.bench.tree() != new:
            raise RuntimeError(f"{self.scenario.name}: the recorded calls do not give the files that the run left")
        return run, Goals(old, new, self.versions(run, old))

    def versions(self, run, old):
        """The contents that each path had at any moment, if all calls before it took effect."""
        versions = collections.defaultdict(set)
        for moment in moments(run, self.rule):
            disk = run.base.copy()
            for step in run.steps:
                if step.op < moment.count:
                    step.apply(disk)
            data = run.contents.all
            for path, _, is_folder, size, blocks in moment.observed(disk, {}).files:
                if not is_folder and size < 1 << 18:
                    whole = b"".join(bytes(4096) if block is None else data[block] for block in blocks)
                    versions[path[1:]].add(whole[:size])
        for path, (_, value) in old.items():
            versions[path].add(value)
        return versions

    def build(self, all_moments, limit):
        """Distinct states by the number of the first that is like them."""
        numbers, found = set(), {}
        for number, state in enumerate(states(all_moments, limit, self.seeded("states"))):
            self.outcome.built += 1
            if state.key not in numbers:
                numbers.add(state.key)
                found[number] = state
        return found

    def judge(self, number, state, run, goals):
        """Runs the next command on a state. Returns whether that command had something to do."""
        if self.options.state is not None:
            if number != self.options.state:
                return False
            self.bench.put(state, run)
            shutil.copytree(self.bench.folder, self.options.keep, dirs_exist_ok=True)
        self.bench.put(state, run)
        verdict = self.verdict(f"--state {number}", goals, self.outcome.verdicts)
        if verdict != "new" and state.key in self.must_be_new:
            self.fail(f"--state {number}", f"the command had ended, and its work is not there ({verdict})")
        return self.scenario.judge is not judge_model or any(path.endswith(JOURNAL) for path, *_ in state.files)

    def verdict(self, place, goals, counter):
        try:
            verdict = self.scenario.judge(self.scenario, self.bench, goals)
        except Lost as loss:
            verdict = "lost"
            self.fail(place, str(loss))
        counter[verdict] += 1
        return verdict

    def fail(self, place, reason):
        self.outcome.failures.append(
            f"--only {self.scenario.name!r} --rule {self.rule.name} --seed {self.options.seed} {place}: {reason}"
        )

    def strike_recoveries(self, healed, run, goals):
        """Strikes the commands that repaired a state."""
        source = self.seeded("recoveries")
        for number, state in source.sample(healed, min(self.options.recoveries, len(healed))):
            self.bench.put(state, run)
            _, disk, contents, records = self.bench.record(self.scenario.next_command(self.bench.tree()))
            again = Run(disk, contents, records, self.bench.folder)
            versions = self.versions(again, self.bench.tree())
            for path, known in goals.versions.items():
                versions[path] |= known
            goals_again = Goals(goals.old, goals.new, versions)
            all_moments = moments(again, self.rule)
            distinct = {}
            for found in states(all_moments, self.options.recovery_states * 20, source):
                distinct.setdefault(found.key, found)
            chosen = list(distinct.values())
            chosen = source.sample(chosen, min(self.options.recovery_states, len(chosen)))
            self.outcome.recoveries += 1
            for index, found in enumerate(chosen):
                self.bench.put(found, again)
                self.verdict(f"--state {number}, struck again, {index}", goals_again, self.outcome.again)


# MARK: The whole


def build_libraries(folder):
    for name in ("recorder", "faults"):
        source = os.path.join(os.path.dirname(__file__), "..", f"{name}.c")
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", f"{folder}/{name}.so", source, "-ldl"], check=True)


def play(job):
    scenario_name, rule_name, options, libraries = job
    scenario = next(scenario for scenario in scenarios() if scenario.name == scenario_name)
    scratch = tempfile.mkdtemp(dir=libraries)
    try:
        bench = Bench(scratch, options.program, libraries, scenario.inserts)
        return Strike(scenario, RULES[rule_name], bench, options).play()
    finally:
        shutil.rmtree(scratch)


def chosen_jobs(options):
    for scenario in scenarios():
        if options.only and scenario.name not in options.only:
            continue
        for rule in RULES:
            if options.rule and rule not in options.rule:
                continue
            if options.quick and rule not in QUICK.get(scenario.name, []):
                continue
            yield scenario.name, rule


def play_all(options, report):
    base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="lrpatch-power-", dir=base) as libraries:
        build_libraries(libraries)
        jobs = [(*job, options, libraries) for job in chosen_jobs(options)]
        # Its workers end by themselves; a Pool's are ended by a signal, which a test runner may block.
        with concurrent.futures.ProcessPoolExecutor(options.jobs) as pool:
            outcomes = []
            for outcome in pool.map(play, jobs):
                report(outcome)
                outcomes.append(outcome)
    return outcomes


COLUMNS = ["run", "rule", "possible", "built", "distinct", "recovered", *VERDICTS, "struck again", "states", "lost"]


def print_row(outcome):
    cells = [outcome.scenario, outcome.rule]
    figures = [outcome.possible, outcome.built, outcome.distinct, outcome.verdicts.total()]
    figures += [outcome.verdicts[name] for name in VERDICTS]
    figures += [outcome.recoveries, outcome.again.total(), outcome.again["lost"]]
    print("| " + " | ".join(cells + [f"{figure:,}" for figure in figures]) + " |", flush=True)
    for failure in outcome.failures[:3]:
        print(failure, file=sys.stderr, flush=True)


def self_test(options):
    """Shows that a forgotten fsync is found."""
    options.stop = True
    missed = 0
    for scenario, rule, syncs in MUTATIONS:
        for sync in syncs:
            options.only, options.rule, options.drop_fsync = [scenario], [rule], [sync]
            lost = play_all(options, lambda outcome: None)[0].failures
            print(f"{scenario}, {rule}, without fsync {sync}: {lost[0] if lost else 'nothing is lost'}", flush=True)
            missed += not lost
    return missed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=f"{REPOSITORY}/.build/release/lrpatch")
    parser.add_argument("--only", action="append", help="a run by its name")
    parser.add_argument("--rule", action="append", choices=RULES)
    parser.add_argument("--states", type=int, default=100_000, help="build all states up to this many, else this many")
    parser.add_argument("--run", type=int, default=400, help="recover at most this many distinct states")
    parser.add_argument("--recoveries", type=int, default=10, help="strike this many recoveries")
    parser.add_argument("--recovery-states", type=int, default=10, help="recover this many states of each")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--drop-fsync", type=int, action="append", default=[], help="forget the N-th fsync of a run")
    parser.add_argument("--state", type=int, help="recover only this state")
    parser.add_argument("--keep", metavar="FOLDER", help="put that state here as well")
    parser.add_argument("--stop", action="store_true", help="stop a run's recoveries at the first loss")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--self-test", action="store_true")
    options = parser.parse_args()
    options.program = os.path.abspath(options.program)
    if options.state is not None and not options.keep:
        parser.error("--state needs --keep")
    if options.quick:
        options.states, options.run, options.recoveries, options.recovery_states = 2000, 40, 1, 8
    if options.self_test:
        options.states, options.run, options.recoveries = 1000, 60, 0
        return self_test(options)
    print("| " + " | ".join(COLUMNS) + " |\n|" + "---|" * len(COLUMNS), flush=True)
    outcomes = play_all(options, print_row)
    lost = sum(len(outcome.failures) for outcome in outcomes)
    print(f"\n{lost} states in which something is lost", file=sys.stderr)
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
