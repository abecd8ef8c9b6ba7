#!/usr/bin/env python3
"""Gives inputs to all targets of lrpatch-fuzz in turn, and prints a table for specs/reliability.md.

    Tests/Fuzz/fuzz.py [--minutes M] [TARGET ...]     M minutes of processor time for each target
    Tests/Fuzz/fuzz.py --total                        the table of all runs so far
    Tests/Fuzz/fuzz.py --minimise [TARGET ...]        writes Tests/Fuzz/Corpora

No input may crash the program, take a second, or use 256 MB. What does is written to .build/fuzz-work/TARGET/findings,
and the run ends with status 1. The corpora and the numbers of all runs are kept in .build/fuzz-work.
"""
import argparse
import json
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = ROOT / ".build/fuzz/release/lrpatch-fuzz"
WORK = ROOT / ".build/fuzz-work"
SECONDS = 1
MEGABYTES = 256
# Larger inputs are slower, and reach nothing that smaller ones do not.
LONGEST = {"gguf-model": 20_000, "result": 8000, "safetensors": 12_000, "checkpoint": 8000}
LONGEST_OTHERS = 4096
CORPUS_BYTES = 48 << 10


def environment() -> dict[str, str]:
    """Files of the targets go to memory, and libFuzzer handles crashes."""
    memory = "/dev/shm"
    return os.environ | {"SWIFT_BACKTRACE": "enable=no"} | ({"TMPDIR": memory} if os.access(memory, os.W_OK) else {})


def program(*arguments: str, **options) -> subprocess.CompletedProcess:
    return subprocess.run([str(PROGRAM), *map(str, arguments)], env=environment(), text=True, errors="replace", **options)


def processor_time() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def targets() -> list[str]:
    return program("--targets", stdout=subprocess.PIPE, check=True).stdout.split()


class Run:
    """The run of one target."""

    def __init__(self, target: str):
        self.target = target
        self.folder = WORK / target
        self.findings = self.folder / "findings"
        for folder in (self.folder / "corpus", self.findings):
            folder.mkdir(parents=True, exist_ok=True)
        program("--unpack", target, self.folder / "corpus", check=True)

    def options(self) -> list[str]:
        return [f"-max_len={LONGEST.get(self.target, LONGEST_OTHERS)}", f"-timeout={SECONDS}",
                f"-rss_limit_mb={MEGABYTES}", f"-malloc_limit_mb={MEGABYTES}", f"-artifact_prefix={self.findings}/"]

    def go(self, seconds: float) -> dict:
        """Fuzzes for a processor time. A slow input counts only if it is slow again: the machine may have been busy."""
        numbers = dict(executions=0, seconds=0.0, coverage=0, features=0, peak=0, findings=0)
        dictionary = ROOT / f"Tests/Fuzz/Dictionaries/{self.target}.dict"
        more = [f"-dict={dictionary}"] if dictionary.exists() else []
        while (left := seconds - numbers["seconds"]) > 1:
            known, before = set(self.findings.iterdir()), processor_time()
            ended = program(self.target, *self.options(), *more, f"-max_total_time={int(min(left, 60))}",
                            "-print_final_stats=1", self.folder / "corpus", stderr=subprocess.PIPE)
            numbers["seconds"] += processor_time() - before
            self.count(ended.stderr, numbers)
            new = set(self.findings.iterdir()) - known
            real = [path for path in new if self.is_repeated(path)]
            numbers["findings"] += len(real)
            for path in new.difference(real):
                path.unlink()
            if real or ended.returncode and not new:
                (self.folder / "log").write_text(ended.stderr)
                print(f"{self.target}: {[str(path) for path in real] or ended.returncode}; see {self.folder}/log",
                      file=sys.stderr)
                break
        return numbers

    def is_repeated(self, path: pathlib.Path) -> bool:
        """Whether an input is a finding in each of three runs on their own."""
        return all(program(self.target, *self.options(), "-runs=1", path, stderr=subprocess.DEVNULL,
                           stdout=subprocess.DEVNULL).returncode for _ in range(3))

    @staticmethod
    def count(log: str, numbers: dict) -> None:
        def last(pattern: str) -> int:
            found = re.findall(pattern, log)
            return int(found[-1]) if found else 0

        numbers["executions"] += last(r"stat::number_of_executed_units:\s*(\d+)")
        numbers["peak"] = max(numbers["peak"], last(r"stat::peak_rss_mb:\s*(\d+)"))
        numbers["coverage"] = max(numbers["coverage"], last(r" cov: (\d+)"))
        numbers["features"] = max(numbers["features"], last(r" ft: (\d+)"))

    def minimise(self) -> None:
        """Keeps the inputs that are needed for the coverage, the smallest ones."""
        small = self.folder / "minimised"
        shutil.rmtree(small, ignore_errors=True)
        small.mkdir()
        program(self.target, *self.options(), "-merge=1", small, self.folder / "corpus", check=True,
                stderr=subprocess.DEVNULL)
        if not any(small.iterdir()):
            raise SystemExit(f"{self.target}: libFuzzer kept no input")
        shutil.rmtree(self.folder / "corpus")
        small.rename(self.folder / "corpus")
        program("--pack", self.target, self.folder / "corpus", CORPUS_BYTES, check=True)


def record(target: str, numbers: dict) -> dict:
    """Adds the numbers of a run to those of all runs."""
    path = WORK / "total.json"
    total = json.loads(path.read_text()) if path.exists() else {}
    old = total.setdefault(target, dict(executions=0, seconds=0.0, coverage=0, features=0, peak=0, findings=0))
    for name, value in numbers.items():
        is_sum = name in ("executions", "seconds", "findings")
        old[name] = round(old[name] + value, 1) if is_sum else max(old[name], value)
    path.write_text(json.dumps(total, indent=1))
    return total


def show(rows: dict[str, dict]) -> None:
    print("| target | executions | in a second | edges covered | findings | peak memory |\n|---|---|---|---|---|---|")
    for target, row in rows.items():
        rate = row["executions"] / max(1, row["seconds"])
        print(f"| `{target}` | {row['executions']:,} | {rate:,.0f} | {row['coverage']:,} | {row['findings']} |"
              f" {row['peak']} MB |", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*")
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--total", action="store_true")
    parser.add_argument("--minimise", action="store_true")
    options = parser.parse_args()
    chosen = options.targets or targets()
    if options.minimise:
        for target in chosen:
            Run(target).minimise()
        return 0
    rows = {}
    if not options.total:
        for target in chosen:
            rows[target] = Run(target).go(options.minutes * 60)
            record(target, rows[target])
            print(f"{target}: {rows[target]['executions']:,} executions", file=sys.stderr, flush=True)
    else:
        total = json.loads((WORK / "total.json").read_text())
        rows = {target: total[target] for target in chosen if target in total}
    show(rows)
    return 1 if any(row["findings"] for row in rows.values()) and not options.total else 0


if __name__ == "__main__":
    sys.exit(main())
