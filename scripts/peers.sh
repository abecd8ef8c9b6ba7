#!/usr/bin/env bash
# Sets up the runtimes that a patched model must agree with, for `make conformance` and `fixtures/make`:
#
#   scripts/peers.sh [FOLDER]        default: $LRPATCH_PEERS, else ~/.cache/lrpatch-peers
#
#   FOLDER/venv              Python with CPU torch, transformers 5, accelerate, MLX-LM (MLX's CPU backend), gguf, safetensors
#   FOLDER/transformers4     transformers 4, to be put on PYTHONPATH
#   FOLDER/lm-eval           what lm-eval's evaluator imports, to be put on Python's path
#   FOLDER/rotary            the rotary modules of vLLM and SGLang, from their wheels
#   FOLDER/llama.cpp         llama.cpp's tools, built from the source in FOLDER/llama.cpp-source
#   FOLDER/longrope          the search published with LongRoPE
#   FOLDER/signing           OpenSSF model signing, and lxml for JUnit's schema, FOLDER/junit-10.xsd
#
# As root, it installs Chromium from Debian.
#
# Everything else comes from Python's package index, except FOLDER/longrope. That comes from GitHub, or from the clone
# (a folder or an address) that LONGROPE_SOURCE names; if neither is available, it is left out. Takes about fifteen
# minutes on two cores. What is already there is left alone.
set -euo pipefail

transformers5=5.23.0 transformers4=4.57.6 accelerate=1.15.0 torch=2.13.0+cpu mlx=0.32.4 mlx_lm=0.32.2
datasets=5.2.0 sacrebleu=2.6.0 dill=0.4.1
lm_eval=0.4.13 wonderwords=3.0.1 nltk=3.10.4 scipy=1.17.1 llama_index=0.14.25
vllm=0.33.0 sglang=0.5.23 llama_cpp_python=0.3.36
model_signing=1.1.1 cyclonedx=11.12.0 pytest=8.4.2
compressed_tensors=0.20.0 loguru=0.7.3 autoawq=0.2.9
longrope=c9e56aa54007c328399677232a489feec446e4b8
tools=(llama-perplexity llama-quantize llama-bench llama-tokenize llama-passkey llama-gguf llama-gguf-hash llama-gguf-split)

peers=${1:-${LRPATCH_PEERS:-$HOME/.cache/lrpatch-peers}}
mkdir -p "$peers"
cd "$peers"

has_modules() { venv/bin/python -c "import $1" 2>/dev/null; }
pip() { venv/bin/python -m pip "$@"; }

set_up_python() {
  [ -x venv/bin/python ] || python3 -m venv venv
  has_modules "torch, transformers, accelerate, gguf, safetensors, tokenizers, sentencepiece, cmake, ninja" ||
    pip install -q "torch==$torch" "transformers==$transformers5" "accelerate==$accelerate" gguf==0.19.0 safetensors==0.8.0 \
      tokenizers==0.23.3 numpy sentencepiece cmake ninja
  # mlx-lm would install another transformers, so it is installed without its dependencies.
  has_modules "mlx.core, mlx_lm" || {
    pip install -q --no-deps "mlx==$mlx" "mlx-cpu==$mlx" "mlx-lm==$mlx_lm"
    pip install -q protobuf pyyaml jinja2
  }
}

# RULER's generators, and the sentence model of NLTK that they use, which another package ships. Their other dependencies
# are not needed.
set_up_ruler() {
  has_modules "lm_eval, wonderwords, nltk, scipy" ||
    pip install -q --no-deps "lm_eval==$lm_eval" "wonderwords==$wonderwords" "nltk==$nltk" "scipy==$scipy" regex click tqdm
  local punkt=nltk_data/tokenizers/punkt_tab/english
  [ -d "$punkt" ] && return
  pip download -q --no-deps -d wheels "llama-index-core==$llama_index"
  mkdir -p "$punkt"
  venv/bin/python - "$punkt" <<'PY'
import glob
import sys
import zipfile
from pathlib import Path

archive = zipfile.ZipFile(glob.glob("wheels/llama_index_core*.whl")[0])
for name in archive.namelist():
    if "/punkt_tab/english/" in name and not name.endswith("/"):
        (Path(sys.argv[1]) / Path(name).name).write_bytes(archive.read(name))
PY
  rm -rf wheels
}

# Packages that lm-eval's evaluator imports. In a folder of their own, they change no other package.
set_up_lm_eval() {
  [ -d lm-eval/datasets ] && return
  pip install -q --target lm-eval "datasets==$datasets" "sacrebleu==$sacrebleu" "dill==$dill"
  rm -rf lm-eval/numpy* # the environment's numpy is used
}

# Libraries that quantise folders. AutoAWQ needs a GPU library to be imported, so only its source is unpacked, of which the
# checks run one function.
set_up_quantizers() {
  has_modules "compressed_tensors" || pip install -q --no-deps "compressed-tensors==$compressed_tensors" "loguru==$loguru"
  [ -d autoawq/awq ] && return
  mkdir -p autoawq
  pip download -q --no-deps --no-build-isolation --no-binary :all: -d wheels "autoawq==$autoawq"
  tar -xzf wheels/autoawq-*.tar.gz --strip-components 1 -C autoawq
  rm -rf wheels
}

set_up_transformers4() {
  [ -d transformers4/transformers ] && return
  pip install -q --target transformers4 "transformers==$transformers4" tokenizers==0.22.2 "huggingface-hub<1"
  rm -rf transformers4/numpy* # the environment's numpy is used
}

set_up_rotary_modules() {
  [ -d rotary/vllm ] && [ -d rotary/sglang ] && return
  pip download -q --no-deps -d wheels "vllm==$vllm" "sglang==$sglang"
  venv/bin/python - <<'PY'
import glob
import zipfile

for wheel in glob.glob("wheels/*.whl"):
    archive = zipfile.ZipFile(wheel)
    for name in archive.namelist():
        if "/layers/rotary_embedding" in name and name.endswith(".py"):
            archive.extract(name, "rotary")
PY
  rm -rf wheels
}

# pip would build CMake from source only to read the archive's metadata, so pip's own finder and session fetch it.
download_llama_cpp_source() {
  VERSION=$llama_cpp_python venv/bin/python - <<'PY'
import io
import os
import tarfile

from pip._internal.commands.download import DownloadCommand

command = DownloadCommand("download", "")
options, _ = command.parse_args(["llama-cpp-python"])
with command.main_context():
    session = command.get_default_session(options)
    candidates = command._build_package_finder(options, session).find_all_candidates("llama-cpp-python")
    wanted = [c for c in candidates if str(c.version) == os.environ["VERSION"] and c.link.filename.endswith(".tar.gz")]
    archive = session.get(wanted[0].link.url_without_fragment).content
tarfile.open(fileobj=io.BytesIO(archive)).extractall("src", filter="data")
PY
}

set_up_llama_cpp() {
  local tool missing=
  for tool in "${tools[@]}"; do [ -x "llama.cpp/bin/$tool" ] || missing=yes; done
  [ -n "$missing" ] || [ ! -f llama.cpp-source/convert_hf_to_gguf.py ] || return 0
  local source=src/llama_cpp_python-$llama_cpp_python/vendor/llama.cpp
  [ -d "$source" ] || download_llama_cpp_source
  ln -sfn "$source" llama.cpp-source
  PATH="$PWD/venv/bin:$PATH" cmake -S "$source" -B llama.cpp -G Ninja -DCMAKE_BUILD_TYPE=Release \
    -DLLAMA_CURL=OFF -DLLAMA_OPENSSL=OFF -DBUILD_SHARED_LIBS=ON -DGGML_NATIVE=ON >/dev/null
  PATH="$PWD/venv/bin:$PATH" ninja -C llama.cpp "${tools[@]}"
}

# It is run from this checkout, never copied. Only fixtures/make/make_golden_search.py and scripts/published_search.py
# need it.
set_up_longrope() {
  [ "$(git -C longrope rev-parse --verify -q HEAD 2>/dev/null)" != "$longrope" ] || return 0
  rm -rf longrope
  if ! { git clone -q "${LONGROPE_SOURCE:-https://github.com/microsoft/LongRoPE}" longrope &&
    git -C longrope checkout -q "$longrope"; }; then
    rm -rf longrope
    echo "LongRoPE's own search could not be fetched; name a clone of it in LONGROPE_SOURCE." >&2
  fi
}

set_up_signing() {
  [ -x signing/bin/python ] || python3 -m venv signing
  signing/bin/python -c "import model_signing, cyclonedx, jsonschema, OpenSSL, lxml" 2>/dev/null ||
    signing/bin/python -m pip install -q "model-signing==$model_signing" "cyclonedx-python-lib[json-validation]==$cyclonedx" pyOpenSSL lxml
}

# The schema of JUnit's files, which is in pytest's source for its own tests.
set_up_junit() {
  [ -f junit-10.xsd ] && return
  pip download -q --no-deps --no-binary :all: -d wheels "pytest==$pytest"
  tar -xzf wheels/pytest-*.tar.gz --strip-components=3 --wildcards '*/testing/example_scripts/junit-10.xsd'
  rm -rf wheels
}

set_up_browser() {
  command -v chromium >/dev/null || [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null && return
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null
}

set_up_python
set_up_ruler
set_up_lm_eval
set_up_quantizers
set_up_transformers4
set_up_rotary_modules
set_up_llama_cpp
set_up_longrope
set_up_signing
set_up_junit
set_up_browser
echo "The runtimes are in $PWD."
