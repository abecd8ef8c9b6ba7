#!/usr/bin/env bash
# Checks, with the runtimes' own code, that the runtimes read patched models as lrpatch says they do: transformers 5 and 4,
# MLX-LM, the rotary modules of vLLM, SGLang and LMDeploy, OpenVINO, mistral.rs, ONNX Runtime GenAI, CTranslate2, llama.cpp,
# ik_llama.cpp, gguf-py; and that benchmarks are asked and scored as lm-eval does. Also checks that Chromium, huggingface_hub
# and OpenSSF model signing accept reports, cards and statements.
#
#   scripts/conformance/run.sh           LRPATCH        the program, default .build/release/lrpatch
#                                        LRPATCH_PEERS  the folder made by scripts/peers.sh, default ~/.cache/lrpatch-peers
#
# Prints a line for each check: ok, FAIL, known (a limit of the runtime that is still there, with the reason), or skipped (an
# engine that scripts/peers-engines.sh has not set up), each with the measured difference. Exits with 1 if any check failed.
# Takes a quarter of an hour on two cores.
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
export LRPATCH_PEERS=${LRPATCH_PEERS:-$HOME/.cache/lrpatch-peers}
export LRPATCH=${LRPATCH:-$here/../../.build/release/lrpatch}
export PYTHONDONTWRITEBYTECODE=1 TOKENIZERS_PARALLELISM=false HF_HUB_OFFLINE=1
LRPATCH=$(realpath -m "$LRPATCH")
python=$LRPATCH_PEERS/venv/bin/python

[ -x "$LRPATCH" ] || { echo "There is no program at $LRPATCH; build it, or set LRPATCH." >&2; exit 2; }
[ -x "$python" ] || { echo "There are no runtimes in $LRPATCH_PEERS; run scripts/peers.sh." >&2; exit 2; }

CONFORMANCE_WORK=$(mktemp -d)
export CONFORMANCE_WORK
trap 'rm -rf "$CONFORMANCE_WORK"' EXIT
cd "$here" || exit 2
failed=0

"$python" make_models.py || exit 2

# Reading every vocabulary with gguf-py takes longest and needs one core, so it runs in parallel with the rest.
"$python" check_gguf_listing.py >"$CONFORMANCE_WORK/listing.txt" 2>&1 &
listing=$!

"$python" patch_models.py || failed=1
if [ -f "$CONFORMANCE_WORK/cases.json" ]; then
  "$python" check_transformers.py || failed=1
  PYTHONPATH=$LRPATCH_PEERS/transformers4 "$python" check_transformers.py || failed=1
  "$python" check_engines.py || failed=1
  "$python" check_scalings.py || failed=1
  "$python" check_defaults.py || failed=1
  "$python" check_mlx.py || failed=1
  "$python" check_more_engines.py || failed=1
  "$python" check_verify.py || failed=1
  "$python" check_passkeys.py || failed=1
  "$python" check_convert.py || failed=1
  "$python" check_quantized.py || failed=1
fi
"$python" check_smollm.py || failed=1
"$python" check_benchmarks.py || failed=1
"$python" check_release.py || failed=1
"$python" check_tokenizers.py || failed=1
"$python" check_llama_cpp.py || failed=1
"$python" check_parsers.py || failed=1

wait "$listing" || failed=1
cat "$CONFORMANCE_WORK/listing.txt"
[ "$failed" -eq 0 ] && echo "Every runtime agrees." || echo "Some checks failed: see the lines that begin with FAIL."
exit "$failed"
