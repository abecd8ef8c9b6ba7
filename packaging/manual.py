#!/usr/bin/env python3
"""Writes man pages in mdoc, one for each command, from the program's own description of itself.

    lrpatch --experimental-dump-help | packaging/manual.py VERSION DATE FOLDER
"""

import json
import re
import sys
from pathlib import Path

SPECIAL = {"\\": r"\e", "'": r"\(aq", "`": r"\(ga", "^": r"\(ha", "~": r"\(ti", '"': r"\(dq"}


def escaped(text, option=r"(?<![\w-])-{1,2}\w[\w-]*"):
    """Text with roff's special characters escaped. Matches of `option` get minus signs, not hyphens."""

    def replacement(match):
        found = match[0]
        if found.startswith("-"):
            return found.replace("-", r"\-")
        return SPECIAL.get(found) or f"\\[u{ord(found):04X}]"

    return re.sub(option + r"|[\\'`^~\"]|[^\x20-\x7e]", replacement, text)


def prose(text):
    """Lines of running text, one for each sentence, as mdoc requires."""
    sentences = re.split(r"(?<=[.!?])\s+", " ".join(text.split()))
    return [re.sub(r"^\.", r"\\&.", escaped(sentence)) for sentence in sentences]


def paragraphs(text):
    lines = []
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        lines += [".Pp"] * bool(lines) + prose(paragraph)
    return lines


def word(text):
    """One argument of a macro, escaped so that mdoc reads it neither as a macro nor as punctuation."""
    text = escaped(text, option="-")
    if re.fullmatch(r"[A-Z%][A-Za-z0-9]{1,2}|[^\w\\]", text):
        text = r"\&" + text
    return f'"{text}"' if " " in text or not text else text


def flag(name):
    return "Fl " + word(name["name"] if name["kind"] == "short" else "-" + name["name"])


def lowered(text):
    """The text with a lower-case first letter, as in the middle of a sentence; acronyms stay."""
    return text[0].lower() + text[1:] if text[1:2].islower() else text


def shown(items):
    return [item for item in items or [] if item.get("shouldDisplay", True)]


class Page:
    def __init__(self, command, parents, exits):
        self.command, self.exits = command, exits
        self.words = parents + [command["commandName"]]
        self.name = "-".join(self.words)
        self.arguments = shown(command.get("arguments"))
        self.children = [child for child in shown(command.get("subcommands")) if child["commandName"] != "help"]

    def text(self, version, date):
        abstract = self.command["abstract"]
        lines = [f".Dd {date}", f".Dt {self.name.upper()} 1", f".Os lrpatch {version}"]
        lines += [".Sh NAME", f".Nm {self.name}", ".Nd " + escaped(lowered(abstract).rstrip("."))]
        lines += [".Sh SYNOPSIS", f".Nm {word(' '.join(self.words))}"] + self.synopsis()
        lines += [".Sh DESCRIPTION"] + paragraphs(abstract)
        discussion, _, examples = (self.command.get("discussion") or "").partition("Examples:\n\n")
        if discussion.strip():
            lines += [".Pp"] + paragraphs(discussion.strip())
        lines += self.section("ARGUMENTS", [a for a in self.arguments if a["kind"] == "positional"])
        lines += self.section("OPTIONS", [a for a in self.arguments if a["kind"] != "positional"])
        shown = []
        if examples:
            text = [escaped(line.removeprefix("  ")) or "\\&" for line in examples.splitlines()]
            shown = [".Sh EXAMPLES", ".Bd -literal", *text, ".Ed"]
        return "\n".join(lines + self.commands() + self.exit_status() + shown + self.see_also()) + "\n"

    def synopsis(self):
        if self.children:
            return [".Ar command", ".Op Ar options"]
        listed = [argument for argument in self.arguments if argument["valueName"] not in ("version", "help")]
        return ["." + self.usage(argument) for argument in listed]

    @staticmethod
    def usage(argument):
        text = "Ar " + word(argument["valueName"]) if argument["kind"] != "flag" else ""
        if argument["kind"] != "positional":
            text = f"{flag(argument['preferredName'])} {text}".rstrip()
        if argument["isOptional"]:
            return f"Oo {text} Oc ..." if argument["isRepeating"] else f"Op {text}"
        return text + " ..." * argument["isRepeating"]

    def section(self, title, arguments):
        if not arguments:
            return []
        lines = [f".Sh {title}", ".Bl -tag -width Ds"]
        for argument in arguments:
            lines += self.item(argument)
        return lines + [".El"]

    @staticmethod
    def item(argument):
        value = "Ar " + word(argument["valueName"]) if argument["kind"] != "flag" else ""
        names = sorted(argument.get("names") or [], key=lambda name: name["kind"] != "short")
        lines = [(".It " + " , ".join(map(flag, names)) + " " + value).replace("  ", " ").rstrip()]
        lines += paragraphs(argument.get("abstract") or "")
        if argument.get("discussion"):
            lines += [".Pp"] + paragraphs(argument["discussion"])
        if argument.get("allValues"):
            lines += ["One of"] + [f".Cm {word(value)} ," for value in argument["allValues"]]
            lines[-1] = lines[-1].removesuffix(",") + "."
        if argument.get("defaultValue"):
            lines += ["Default:", f".Cm {word(argument['defaultValue'])} ."]
        return lines

    def commands(self):
        if not self.children:
            return []
        lines = [".Sh COMMANDS", ".Bl -tag -width Ds"]
        for child in self.children:
            lines += [f".It Xr {self.name}-{child['commandName']} 1"] + prose(child["abstract"])
        return lines + [".El"]

    def exit_status(self):
        lines = [".Sh EXIT STATUS", ".Bl -tag -width Ds"]
        for code, meaning in self.exits:
            lines += [f".It {code}"] + prose(meaning[0].upper() + meaning[1:] + ".")
        return lines + [".El"]

    def see_also(self):
        names = ["-".join(self.words[:-1])] if len(self.words) > 1 else []
        names += [f"{self.name}-{child['commandName']}" for child in self.children]
        names += [] if len(self.words) > 1 else [f"{self.name}-release-check"]
        return [".Sh SEE ALSO"] + [f".Xr {name} 1 ," for name in sorted(names)[:-1]] + [f".Xr {max(names)} 1"]


def exit_codes(root):
    """Removes the exit codes from the program's discussion and returns them as pairs of code and meaning."""
    before, found, listed = root["discussion"].partition("Exit codes: ")
    codes = re.findall(r"(\d+) ([^;]+?)[;.]", listed)
    if not found or len(codes) < 2:
        sys.exit("packaging/manual.py: the program's discussion does not end in its exit codes")
    root["discussion"] = before
    return codes


def pages(command, parents, exits):
    page = Page(command, parents, exits)
    yield page
    for child in page.children:
        yield from pages(child, page.words, exits)


def main():
    version, date, folder = sys.argv[1:]
    root = json.load(sys.stdin)["command"]
    for page in pages(root, [], exit_codes(root)):
        (Path(folder) / f"{page.name}.1").write_text(page.text(version, date), encoding="ascii")


if __name__ == "__main__":
    main()
