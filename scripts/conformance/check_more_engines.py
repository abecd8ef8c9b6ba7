"""Checks the patched models with the engines that scripts/peers-engines.sh sets up, each in its own environment and process.

An engine that is not there is reported as skipped. Name engines to check only those:

    check_more_engines.py [lmdeploy] [openvino] [ik_llama.cpp] [mistral.rs] [ort-genai] [ctranslate2]
"""

import subprocess
import sys
from pathlib import Path

from common import PEERS, Report

# Folder of the environment, the engine's title, a module of it, the checks.
ENGINES = [
    ("lmdeploy", "LMDeploy", "lmdeploy", "check_lmdeploy.py"),
    ("openvino", "OpenVINO", "optimum", "check_openvino.py"),
    ("ik_llama.cpp", "ik_llama.cpp", "ik_llama_cpp", "check_ik_llama_cpp.py"),
    ("mistral.rs", "mistral.rs", "mistralrs", "check_mistral_rs.py"),
    ("ort-genai", "ORT GenAI", "onnxruntime_genai", "check_ort_genai.py"),
    ("ctranslate2", "CTranslate2", "ctranslate2", "check_ctranslate2.py"),
]


def is_there(python, module):
    finds = f"import importlib.util, sys; sys.exit(importlib.util.find_spec('{module}') is None)"
    return python.exists() and subprocess.run([python, "-c", finds], capture_output=True).returncode == 0


def passes(python, script):
    """Whether the checks pass; what they print is printed, and their log if they do not."""
    result = subprocess.run([python, Path(__file__).parent / script], stderr=subprocess.PIPE, text=True, errors="replace")
    if result.returncode:
        print(result.stderr[-2000:], file=sys.stderr)
    return result.returncode == 0


def main():
    wanted = sys.argv[1:] or [folder for folder, *_ in ENGINES]
    failed = False
    for folder, title, module, script in ENGINES:
        python = PEERS / "engines" / folder / "bin/python"
        if folder not in wanted:
            continue
        if is_there(python, module):
            failed |= not passes(python, script)
        else:
            Report(title).line("skipped", "", "it is not installed; see scripts/peers-engines.sh")
    raise SystemExit(1 if failed else 0)


if __name__ == "__main__":
    main()
