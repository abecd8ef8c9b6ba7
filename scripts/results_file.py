"""specs/results.md, whose sections are written by different scripts."""

from pathlib import Path

FILE = Path(__file__).resolve().parent.parent / "specs/results.md"


def replace(section, lines):
    """Puts lines between the marks of a section."""
    text = FILE.read_text()
    begin, end = (f"<!-- {mark}: {section} -->" for mark in ("begin", "end"))
    before, found, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise SystemExit(f"{FILE} has no section {section}.")
    body = "\n".join(lines).strip("\n")
    FILE.write_text(f"{before}{begin}\n\n{body}\n\n{end}{after}")
