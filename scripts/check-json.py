#!/usr/bin/python3
"""Checks JSON documents against the schemas in specs/.

    scripts/check-json.py FILE...

A document's member `schema` names its schema; in a file of JSON lines, that of the first line. Needs python3-jsonschema.
"""

import json
import sys
from pathlib import Path

try:
    import jsonschema
except ImportError:
    sys.exit("error: the Python package jsonschema is missing; install python3-jsonschema")

SPECS = Path(__file__).resolve().parent.parent / "specs"


def schemas():
    """The schemas by the name that documents give, such as lrpatch.verify/1."""
    found = {}
    for path in sorted(SPECS.glob("*.schema.json")):
        schema = json.loads(path.read_text())
        jsonschema.Draft202012Validator.check_schema(schema)
        for part in [schema, *schema.get("$defs", {}).values()]:
            if name := part.get("properties", {}).get("schema", {}).get("const"):
                found[name] = jsonschema.Draft202012Validator(schema)
    return found


def documents(path):
    text = path.read_text()
    try:
        yield json.loads(text)
    except json.JSONDecodeError:
        for line in text.splitlines():
            yield json.loads(line)


def main():
    known, name, failures = schemas(), None, 0
    for path in map(Path, sys.argv[1:]):
        for document in documents(path):
            name = document.get("schema", name)
            if name not in known:
                print(f"{path}: no schema for {name}")
                failures += 1
                continue
            for error in known[name].iter_errors(document):
                print(f"{path}: {'/'.join(map(str, error.absolute_path)) or 'document'}: {error.message[:200]}")
                failures += 1
    sys.exit(1 if failures else 0)


main()
