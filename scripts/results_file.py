"""specs/results.md, whose sections are written by different scripts."""

import textwrap
from pathlib import Path

FILE = Path(__file__).resolve().parent.parent / "specs/results.md"


def replace(section, lines):
    """Puts lines between the marks of a section. Prose is wrapped; tables and headings stay as they are."""
    text = FILE.read_text()
    begin, end = (f"<!-- {mark}: {section} -->" for mark in ("begin", "end"))
    before, found, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise SystemExit(f"{FILE} has no section {section}.")
    paragraphs = "\n".join(lines).strip("\n").split("\n\n")
    body = "\n\n".join(part if part.startswith(("|", "#")) else textwrap.fill(part, 120) for part in paragraphs)
    FILE.write_text(f"{before}{begin}\n\n{body}\n\n{end}{after}")
