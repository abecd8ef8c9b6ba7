"""Checks what a release carries with the programs that it is for: the HTML report with headless Chromium, its numbers against
the saved result's; the model card with huggingface_hub; the statement with OpenSSF model signing; the sums with sha256sum."""

import hashlib
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import zlib
from html.parser import HTMLParser
from pathlib import Path

from common import FIXTURES, LRPATCH, PEERS, WORK, Report

report = Report("release")
folder = WORK / "release"
# The environment variable SCREENSHOTS names a folder in which to keep them.
shots = Path(os.environ.get("SCREENSHOTS", folder / "screenshots"))


def lrpatch(*arguments, status=0):
    result = subprocess.run([LRPATCH, *map(str, arguments)], cwd=folder, capture_output=True, text=True)
    if result.returncode != status:
        sys.exit(f"lrpatch {arguments}: {result.returncode}, {result.stderr}")
    return result.stdout


class Tables(HTMLParser):
    """The rows of every table as text, under the heading above it."""

    def __init__(self, text):
        super().__init__()
        self.tables, self.heading, self.open = [], "", None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        if tag in ("h2", "caption"):
            self.open, self.text = tag, ""
        elif tag == "table":
            self.tables.append([self.heading, "", []])
        elif tag == "tr":
            self.tables[-1][2].append([])
        elif tag in ("th", "td"):
            self.open, self.text = tag, ""

    def handle_data(self, data):
        if self.open:
            self.text += data

    def handle_endtag(self, tag):
        if tag != self.open:
            return
        self.open = None
        if tag == "h2":
            self.heading = self.text
        elif tag == "caption":
            self.tables[-1][1] = self.text
        else:
            self.tables[-1][2][-1].append(self.text)

    def under(self, heading, caption=None):
        return [rows for h, c, rows in self.tables if h.startswith(heading) and caption in (None, c)]


def close(shown, value):
    """A number as tables show it: six digits, shares in percent."""
    number = float(shown.split(" ")[0])
    return abs(number - value) <= 5e-6 * max(abs(value), 1e-9)


def rounded(value, error):
    """A number and its error, both to two digits of the error."""
    digits = next(digits for digits in range(7) if error * 10**digits >= 9.95 or digits == 6)
    return f"{value:.{digits}f} ± {error:.{digits}f}"


def check_numbers(html, result, before):
    tables = Tables(html)
    length = lambda cell: int(cell.split(" ")[0])
    for caption, saved in [("after", result), ("before", before)]:
        wrong = 0
        for runtime in {p["runtime"] for p in saved["passkeys"]}:
            # Runtimes with the same cells share a table.
            (rows,) = [
                rows for heading, names, rows in tables.tables
                if heading.startswith("Passkeys found") and {runtime, caption} <= set(names.split(", "))
            ]  # fmt: skip
            for row in rows[1:]:
                for head, shown in zip(rows[0][1:], row[1:]):
                    cells = [
                        p["exact"] for p in saved["passkeys"]
                        if p["runtime"] == runtime and p["length"] == length(head)
                        and abs(p["depth"] * 100 - float(row[0].split(" ")[0])) < 0.06
                    ]  # fmt: skip
                    wrong += not cells or int(shown.split(" ")[0]) != round(100 * sum(cells) / len(cells))
        report.check(caption, "passkeys by length and depth equal the result's", wrong == 0, f"{wrong} differ")
    (rows,) = tables.under("perplexity (", None)
    for mark, saved in [("", result), ("before: ", before)]:
        shown = {
            (runtime, length(head)): cell
            for row in rows[1:] if row[0].startswith("before: ") == bool(mark)
            for runtime in row[0].removeprefix(mark).split(", ") for head, cell in zip(rows[0][1:], row[1:])
        }  # fmt: skip
        good = all(
            shown[p["runtime"], p["length"]] == rounded(p["perplexity"], p["standard_error"]) for p in saved["perplexities"]
        )
        report.check("perplexity", "to two digits of its standard error equals the result's", good, f"{len(shown)} cells")
    (factors,) = tables.under("Factors")
    long = result["inspection"]["factors"]["long"]
    good = len(factors) == len(long) + 1 and all(close(row[1], value) for row, value in zip(factors[1:], long))
    report.check("factors", "equal the model's", good, f"{len(long)} pairs")
    (runtimes,) = tables.under("What each runtime uses")
    expected = [(r["runtime"], r["status"]) for r in result["inspection"]["runtimes"]]
    # Runtimes that do the same share a row.
    shown = [(name, row[1]) for row in runtimes[1:] for name in row[0].split(", ")]
    report.check("runtimes", "name and status equal inspect's", sorted(shown) == sorted(expected))
    (gates,) = tables.under("Gates")
    expected = [(g["gate"], "passed" if g["passed"] else "FAILED") for g in result["gates"]]
    report.check("gates", "as judged", [tuple(row[:2]) for row in gates[1:]] == expected, f"{len(expected)}")
    model = folder / "model"
    files = {row[0]: row[2] for rows in tables.under("Files", "of the model") for row in rows[1:]}
    good = files and all(hashlib.sha256((model / name).read_bytes()).hexdigest() == sum for name, sum in files.items())
    report.check("files", "SHA-256 of the model's files", good, f"{len(files)} files")


def pixels(path):
    """Width, height and mean brightness of a PNG that Chromium wrote: 8 bits, RGB or RGBA, not interlaced."""
    data = path.read_bytes()
    width, height, depth, kind = struct.unpack(">IIBB", data[16:26])
    assert depth == 8 and kind in (2, 6)
    body, place = b"", 8
    while place < len(data):
        size, name = struct.unpack(">I4s", data[place : place + 8])
        body += data[place + 8 : place + 8 + size] if name == b"IDAT" else b""
        place += size + 12
    channels, raw = {2: 3, 6: 4}[kind], zlib.decompress(body)
    stride, row, total = width * channels, bytearray(width * channels), 0
    for y in range(height):
        filter, line = raw[y * (stride + 1)], bytearray(raw[y * (stride + 1) + 1 : (y + 1) * (stride + 1)])
        for x in range(stride):
            left = line[x - channels] if x >= channels else 0
            up, corner = row[x], row[x - channels] if x >= channels else 0
            if filter == 4:
                p = left + up - corner
                guess = min((abs(p - left), 0, left), (abs(p - up), 1, up), (abs(p - corner), 2, corner))[2]
            else:
                guess = [0, left, up, (left + up) // 2][filter]
            line[x] = (line[x] + guess) & 255
        row = line
        total += sum(line[0::channels])
    return width, height, total / width / height


NARROW = """<!DOCTYPE html>
<title></title>
<body style="margin: 0">
<iframe src="{page}" width="400" height="6000" style="border: 0"
  onload="document.title = this.contentDocument.documentElement.scrollWidth"></iframe>
"""


def check_pictures(page):
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not browser:
        return report.check("browser", "chromium is there", False, "install chromium")
    shots.mkdir(parents=True, exist_ok=True)
    # A window is never narrower than 500 pixels, but a frame is.
    frame = folder / "narrow.html"
    frame.write_text(NARROW.format(page=page.name), encoding="utf-8")
    base = [
        browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--allow-file-access-from-files",
        "--enable-logging=stderr", f"--user-data-dir={folder / 'browser'}",
    ]  # fmt: skip
    brightness = {}
    for name, shown, size, options in [
        ("light", page, "1100,900", []),
        ("dark", page, "1100,900", ["--force-dark-mode", "--blink-settings=preferredColorScheme=0"]),
        ("narrow", frame, "500,6000", []),
    ]:
        path = shots / f"report-{name}.png"
        command = [*base, f"--window-size={size}", *options, f"--screenshot={path}", shown.as_uri()]
        run = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert path.exists(), run.stderr
        console = [line for line in run.stderr.splitlines() if ":CONSOLE" in line]
        width, height, brightness[name] = pixels(path)
        report.check(name, "rendered, nothing on the console", path.exists() and not console, f"{width} x {height}")
    dom = subprocess.run([*base, "--dump-dom", frame.as_uri()], capture_output=True, text=True, timeout=120).stdout
    found = re.search(r"<title>(\d+)</title>", dom)
    report.check("narrow", "nothing is wider than 400 pixels", found and int(found[1]) == 400, found and found[1])
    report.check("report", "has no script and fetches nothing", not any(t in page.read_text() for t in ("<script", "//", "url(")))
    report.check("dark", "is dark", brightness["dark"] < 80 < 180 < brightness["light"], str(brightness))


def check_card():
    from huggingface_hub import ModelCard

    (folder / "model/README.md").write_text("---\nlicense: mit # kept\n---\n# Mine\n")
    lrpatch("card", "model", "--result", "after.json", "--base-model", "org/base")
    card = ModelCard.load(folder / "model/README.md")
    data = card.data
    good = data.base_model == "org/base" and data.tags == ["long-context", "longrope"] and data.license == "mit"
    report.check("card", "huggingface_hub reads base_model, tags and the rest", good)
    saved = json.loads((folder / "after.json").read_text())
    worst = max(p["perplexity"] for p in saved["perplexities"] if p["length"] == 1024)
    found = {(r.metric_type, r.dataset_name): r.metric_value for r in data.eval_results}
    good = found.get(("perplexity", "perplexity at 1024 tokens")) == worst and ("passkey", "passkey at 1024 tokens") in found
    report.check("card", "and the results", good, f"{len(found)} results")
    lrpatch("card", "model", "--result", "after.json", "--base-model", "org/base", "--check")


SIGN = """
import base64, hashlib, json, sys
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from model_signing._signing import sign_sigstore_pb
statement, key_path, out = sys.argv[1:]
key = ec.generate_private_key(ec.SECP256R1())
public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
open(key_path, "wb").write(public)
payload = open(statement, "rb").read()
signature = key.sign(sign_sigstore_pb.pae(payload), ec.ECDSA(hashes.SHA256()))
bundle = {"mediaType": sign_sigstore_pb._BUNDLE_MEDIA_TYPE,
  "verificationMaterial": {"publicKey": {"hint": hashlib.sha256(public).hexdigest()}, "tlogEntries": []},
  "dsseEnvelope": {"payload": base64.b64encode(payload).decode(), "payloadType": "application/vnd.in-toto+json",
    "signatures": [{"sig": base64.b64encode(signature).decode(), "keyid": ""}]}}
open(out, "w").write(json.dumps(bundle))
"""


def check_signing():
    python = PEERS / "signing/bin/python"
    if not python.exists():
        return report.check("signing", "model signing is there", False, "run scripts/peers.sh")
    for name, sums, statement, signature, bill in [
        ("model", "model/SHA256SUMS", "model/model.intoto.json", "model/model.sig", "model/model.cdx.json"),
        ("model.gguf", "model.gguf.SHA256SUMS", "model.gguf.intoto.json", "model.gguf.sig", "model.gguf.cdx.json"),
    ]:
        lrpatch("provenance", name, "--bom")
        check_bill(name, bill)
        check = subprocess.run(
            ["sha256sum", "-c", "--quiet", Path(sums).name], cwd=folder / Path(sums).parent, capture_output=True, text=True
        )
        report.check(name, "sha256sum -c", check.returncode == 0, check.stdout + check.stderr)
        subprocess.run([python, "-c", SIGN, statement, "key.pub", signature], cwd=folder, check=True)
        verify = [
            python, "-m", "model_signing", "verify", "key", name, "--signature", signature, "--public_key", "key.pub",
        ]  # fmt: skip
        good = subprocess.run(verify, cwd=folder, capture_output=True, text=True)
        report.check(name, "model_signing verifies the signed statement", good.returncode == 0, good.stderr[-200:])
        edited = folder / (name if name.endswith(".gguf") else f"{name}/config.json")
        kept = edited.read_bytes()
        edited.write_bytes(kept + b"\n")
        bad = subprocess.run(verify, cwd=folder, capture_output=True, text=True)
        report.check(name, "and refuses the edited model", bad.returncode != 0)
        edited.write_bytes(kept)
        lrpatch("provenance", name, "--check")


BOM = """
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(open(sys.argv[1]).read())
sys.exit(str(error) if error else 0)
"""


def check_bill(name, path):
    """Checks a bill of materials with CycloneDX's own library."""
    command = [PEERS / "signing/bin/python", "-c", BOM, path]
    run = subprocess.run([str(part) for part in command], cwd=folder, capture_output=True, text=True)
    report.check(name, "cyclonedx accepts the bill of materials", run.returncode == 0, run.stderr[-200:])


JUNIT = """
import sys
from lxml import etree
schema = etree.XMLSchema(etree.parse(sys.argv[1]))
for path in sys.argv[2:]:
    schema.assertValid(etree.parse(path))
"""


def check_junit():
    """Checks with the schema of Jenkins' xUnit plugin, with which pytest checks its own files."""
    schema = PEERS / "junit-10.xsd"
    lrpatch("lint", "model", "--junit", "lint.xml", "-q")
    run = subprocess.run(
        [PEERS / "signing/bin/python", "-c", JUNIT, schema, "report.xml", "lint.xml"], cwd=folder, capture_output=True, text=True
    )
    report.check("junit", "report.xml and lint.xml are valid", run.returncode == 0, run.stderr[-300:])


folder.mkdir()
shutil.copytree(FIXTURES / "models/needle-256-x4", folder / "model")
shutil.copy(FIXTURES / "models/needle-256-x4.gguf", folder)
(folder / "needle-256-x4.gguf").rename(folder / "model.gguf")
factors, text = FIXTURES / "models/needle-256-x4.factors.json", FIXTURES / "text/moby-dick-opening.txt"
common = ["--lengths", "256,512,1024", "--task", "passkey", "--task", "perplexity", "--perplexity", text, "--windows", 2, "--samples", 1]
runtimes = ["--runtime", "paper", "--runtime", "vllm"]
lrpatch("verify", "model", *common, *runtimes, "--no-gates", "-q", "-o", "before.json")
lrpatch("apply", factors, "model", "-q")
lrpatch("verify", "model", *common, *runtimes, "--no-gates", "-q", "-o", "after.json")
gates = ["--require", "passkey>=0.95", "--require", "perplexity@1024<=1"]
judged = lrpatch("report", "after.json", "--before", "before.json", *gates, "--html", "report.html", "--junit", "report.xml", "--json", status=1)
before = json.loads((folder / "before.json").read_text())
check_numbers((folder / "report.html").read_text(), json.loads(judged), before)
check_pictures(folder / "report.html")
check_junit()
check_card()
check_signing()
report.finish()
