"""Checks that lrpatch lists the metadata of every ggml-vocab-*.gguf of llama.cpp, and of our own files, as gguf-py reads it:
the same keys in the same order, the values of scalars and strings, the lengths of arrays."""

import json
import math
import sys

from common import FIXTURES, PEERS, Report, lrpatch

SOURCE = PEERS / "llama.cpp-source"
sys.path.insert(0, str(SOURCE / "gguf-py"))

from gguf import GGUFReader, GGUFValueType  # noqa: E402


def by_gguf_py(file):
    fields = {}
    for name, field in GGUFReader(file).fields.items():
        if name.startswith("GGUF."):  # gguf-py's own names, for the header
            continue
        if field.types[0] == GGUFValueType.ARRAY:
            nested = len(field.types) > 2
            fields[name] = {"count": None if nested else len(field.data), "element": field.types[1].name}
        else:
            fields[name] = {"value": field.contents()}
    return fields


def same(listed, read):
    if "count" in read:
        return read["count"] is None or listed.get("count") == read["count"]
    value = listed.get("value")
    if isinstance(read["value"], float):
        return isinstance(value, (int, float)) and math.isclose(value, read["value"], rel_tol=1e-6)
    return value == read["value"]


def check_file(report, file):
    result = lrpatch("inspect", file, "--tensors", "--json")
    if not report.check(file.name, "inspect --tensors --json", result.returncode == 0, result.stderr.strip()[:200]):
        return
    listed, read = json.loads(result.stdout)["metadata"], by_gguf_py(file)
    missing, extra = sorted(read.keys() - listed.keys()), sorted(listed.keys() - read.keys())
    detail = f"missing {missing}, extra {extra}" if missing or extra else ""
    if report.check(file.name, f"the same {len(read)} keys", list(listed) == list(read), detail):
        different = [name for name in read if not same(listed[name], read[name])]
        report.check(file.name, "the same values and counts", not different, ", ".join(different)[:200])


def main():
    report = Report("gguf-py")
    files = sorted((SOURCE / "models").glob("ggml-vocab-*.gguf"))
    files += sorted((FIXTURES / "gguf").glob("*.gguf")) + sorted((FIXTURES / "models").glob("*.gguf"))
    # lrpatch lists a later shard as the whole model, so of a split model only the first shard is compared.
    files += sorted((FIXTURES / "models").rglob("*-00001-of-*.gguf"))
    for file in files:
        try:
            check_file(report, file)
        except Exception as error:
            report.check(file.name, "runs", False, f"{type(error).__name__}: {str(error)[:300]}")
    report.finish()


if __name__ == "__main__":
    main()
