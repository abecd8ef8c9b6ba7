#!/usr/bin/env python3
"""Counts the instructions of the Arm kernels, which qemu lists one by one. Used by scripts/test-arm.sh.

    scripts/count-arm.py PROGRAM

PROGRAM is Tests/Arm/compare.c, linked statically. A product of (60, 512) and (128, 512) is 3.9 million multiplications.
"""

import collections
import re
import subprocess
import sys

MULTIPLICATIONS = 60 * 128 * 512
NUMBERS = 128 * 512
PRODUCTS = [
    ("matmul_f32", "neon", "fmla"),
    ("matmul_bf16", "neon-bf16", "bfmmla"),
    ("matmul_int8", "neon-dotprod", "sdot"),
    ("matmul_int8", "neon-bf16", "usmmla"),
]
TYPES = ["f16", "q8_0", "q4_k", "q6_k", "iq4_nl"]


def mnemonics(program):
    listing = subprocess.run(
        ["aarch64-linux-gnu-objdump", "-d", "--no-show-raw-insn", program], capture_output=True, text=True, check=True
    ).stdout
    found = re.findall(r"^\s*([0-9a-f]+):\t(\S+)", listing, re.MULTILINE)
    return {int(address, 16): name for address, name in found}


def executed(program, names, work, level, times):
    """The number of executed instructions by name."""
    arguments = ["-cpu", "max", "-singlestep", "-d", "exec,nochain", "-D", "/dev/stderr"]
    run = subprocess.Popen(
        ["qemu-aarch64", *arguments, program, work, level, str(times)], stderr=subprocess.PIPE, text=True
    )
    counts = collections.Counter()
    for line in run.stderr:
        # Trace 0: 0x7f0000000000 [flags/address/...] function
        counts[names[int(line.split("/", 2)[1], 16)]] += 1
    if run.wait() != 0:
        sys.exit(f"error: {program} {work} {level} failed")
    return counts


def cost(program, names, work, level):
    counts = executed(program, names, work, level, 1)
    counts.subtract(executed(program, names, work, level, 0))
    return counts


def main(program):
    names = mnemonics(program)
    print("\n| product | level | instructions | products | loads | multiplications an instruction |")
    print("|---|---|---|---|---|---|")
    for work, level, multiplies in PRODUCTS:
        counts = cost(program, names, work, level)
        every = sum(counts.values())
        loads = sum(count for name, count in counts.items() if name.startswith("ld"))
        share = f"{multiplies} {100 * (counts[multiplies] / every):.0f} % | {100 * (loads / every):.0f} %"
        print(f"| {work} | {level} | {every} | {share} | {MULTIPLICATIONS / every:.1f} |")
    print("\n| instructions a number | portable | neon |")
    print("|---|---|---|")
    for work in TYPES:
        cells = [f"{sum(cost(program, names, work, level).values()) / NUMBERS:.1f}" for level in ("portable", "neon")]
        print(f"| {work} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main(sys.argv[1])
