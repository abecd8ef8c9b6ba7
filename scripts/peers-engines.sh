#!/usr/bin/env bash
# Sets up more engines that a patched model must agree with, for scripts/conformance/check_more_engines.py. Each is optional
# and has a virtual environment of its own, so that none changes what another needs:
#
#   scripts/peers-engines.sh [ENGINE...]     default: all; the folder is $LRPATCH_PEERS, else ~/.cache/lrpatch-peers
#
#   engines/lmdeploy         LMDeploy, of which the rotary modules run without a GPU
#   engines/openvino         OpenVINO, its pipelines, and optimum-intel with the transformers that it accepts
#   engines/ik_llama.cpp     ik_llama.cpp, from ik-llama-cpp-python
#   engines/mistral.rs       mistral.rs
#   engines/ort-genai        ONNX Runtime GenAI with its model builder
#   engines/ctranslate2      CTranslate2 with its converter
#
# PyTorch, transformers and the like come from FOLDER/venv, which scripts/peers.sh makes. Everything comes from Python's
# package index. Takes about five minutes. What is already there is left alone; an engine that cannot be installed
# is reported and left out, and its checks are skipped.
set -uo pipefail

lmdeploy=0.18.0
optimum_intel=2.2.0 openvino=2026.4.1 openvino_genai=2026.4.1.0 transformers=5.5.4 tokenizers=0.22.2 huggingface_hub=1.21.0
optimum=2.3.0 openvino_telemetry=2025.2.0 httpx=0.28.1 httpcore=1.0.9
ik_llama_cpp_python=0.1.5
mistralrs=0.9.5
onnxruntime_genai=0.18.0 onnxruntime=1.32.0 onnx=1.23.2 onnx_ir=1.1.0
ctranslate2=4.8.5

engines=(lmdeploy openvino ik_llama.cpp mistral.rs ort-genai ctranslate2)
limit=1800 # seconds, for all of them together

peers=${LRPATCH_PEERS:-$HOME/.cache/lrpatch-peers}
[ -x "$peers/venv/bin/python" ] || { echo "$peers holds no runtimes; run scripts/peers.sh first." >&2; exit 2; }
cd "$peers" || exit 2
peers=$PWD

# set_up ENGINE "IMPORTED MODULES" PIP-ARGUMENTS...   Modules of FOLDER/venv come after those of the environment itself.
set_up() {
  local folder=engines/$1 modules=$2
  shift 2
  [ -x "$folder/bin/python" ] || venv/bin/python -m venv "$folder" || return
  local site
  site=$("$folder/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))') &&
    venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' >"$site/peers.pth" || return
  has_modules "$folder" "$modules" && return
  timeout "$((limit > SECONDS ? limit - SECONDS : 1))" \
    "$folder/bin/python" -m pip install -q --disable-pip-version-check "$@" && has_modules "$folder" "$modules"
}

# Finds the modules in the environment itself, and does not run them.
has_modules() {
  "$1/bin/python" - "$1" $2 <<'PY'
import importlib.util
import os
import sys

environment, *modules = sys.argv[1:]
for module in modules:
    found = importlib.util.find_spec(module)
    places = [found.origin, *(found.submodule_search_locations or [])] if found else []
    if not any(place and place.startswith(os.path.abspath(environment) + os.sep) for place in places):
        sys.exit(1)
PY
}

set_up_engine() {
  case $1 in
    lmdeploy) set_up "$1" lmdeploy --no-deps "lmdeploy==$lmdeploy" ;;
    openvino)
      # Its dependencies include torchvision, which would bring another PyTorch of several GB.
      set_up "$1" "optimum openvino openvino_genai openvino_tokenizers transformers" --no-deps "optimum==$optimum" \
        "optimum-intel==$optimum_intel" "openvino==$openvino" "openvino-telemetry==$openvino_telemetry" \
        "openvino-genai==$openvino_genai" "openvino-tokenizers==$openvino_genai" "transformers==$transformers" \
        "tokenizers==$tokenizers" "huggingface-hub==$huggingface_hub" "httpx==$httpx" "httpcore==$httpcore"
      ;;
    ik_llama.cpp) set_up "$1" ik_llama_cpp --no-deps "ik-llama-cpp-python==$ik_llama_cpp_python" ;;
    mistral.rs) set_up "$1" mistralrs --no-deps "mistralrs==$mistralrs" ;;
    ort-genai)
      set_up "$1" "onnxruntime_genai onnxruntime onnx onnx_ir" "onnxruntime-genai==$onnxruntime_genai" \
        "onnxruntime==$onnxruntime" "onnx==$onnx" "onnx-ir==$onnx_ir"
      ;;
    ctranslate2) set_up "$1" ctranslate2 "ctranslate2==$ctranslate2" ;;
    *)
      echo "unknown engine '$1'; expected one of: ${engines[*]}" >&2
      exit 2
      ;;
  esac
}

[ $# -gt 0 ] || set -- "${engines[@]}"
mkdir -p engines
missing=
for engine in "$@"; do set_up_engine "$engine" || missing="$missing $engine"; done
[ -z "$missing" ] || echo "These could not be set up, and their checks will be skipped:$missing" >&2
echo "The engines are in $peers/engines."
