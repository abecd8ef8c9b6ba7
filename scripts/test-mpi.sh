#!/usr/bin/env bash
# Tests searches and verifications under mpirun. 1, 2 and 4 ranks give the same result as a run without MPI. Killing a rank
# ends a search, and its checkpoint resumes to the same result. Builds with the package trait MPI; needs libopenmpi-dev and
# openmpi-bin.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v mpirun > /dev/null || { echo "Install libopenmpi-dev and openmpi-bin first." >&2; exit 2; }
swift build -c release --traits MPI --scratch-path .build/mpi --product lrpatch
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
program=$PWD/.build/mpi/release/lrpatch
model=$PWD/fixtures/models/needle-256
start() {
  local ranks=$1
  shift
  OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 mpirun --oversubscribe -n "$ranks" "$program" "$@"
}
launch() {
  local ranks=$1
  shift
  start "$ranks" search "$model" \
    --target-length 512 --algorithm longrope --population 16 --parents 8 --mutants 6 --crossovers 6 --documents 4 \
    --threads 1 -q "$@"
}

"$program" search "$model" --target-length 512 --algorithm longrope --population 16 --parents 8 --mutants 6 \
  --crossovers 6 --documents 4 --iterations 6 -q -o "$place/0.json" --log "$place/0.log"
for ranks in 1 2 4; do
  launch "$ranks" --iterations 6 -o "$place/$ranks.json" --log "$place/$ranks.log"
  cmp "$place/0.json" "$place/$ranks.json" && cmp "$place/0.log" "$place/$ranks.log"
  echo "ok    $ranks ranks: the same result"
done

# Slopes are shared by document.
steep=(--target-length 512 --documents 3 --iterations 4 --no-comparison -q)
"$program" search "$model" "${steep[@]}" -o "$place/steep.json"
start 2 search "$model" "${steep[@]}" --threads 1 -o "$place/steep.2.json"
cmp "$place/steep.json" "$place/steep.2.json"
echo "ok    gradient on 2 ranks: the same result"

# A verification is divided like the parts of --shard, and judged as a whole. Only the times differ.
patched=$PWD/fixtures/models/needle-256-x4
factors=$patched.factors.json
questions=(--task passkey,perplexity,vt,crossing --lengths 256,512 --depths 3 --samples 1 --threads 1 --json -q)
measure() {
  local rc=0
  "$@" > "$place/found.json" || rc=$?
  python3 - "$place/found.json" "$rc" <<'PY'
import json, sys
found = json.load(open(sys.argv[1]))
del found["provenance"]
found.pop("seconds", None)
# The last digits of margins and losses depend on which prompts share their beginning.
found = json.loads(json.dumps(found), parse_float=lambda text: round(float(text), 3))
for members in found.values():
    if isinstance(members, list):
        members.sort(key=lambda member: json.dumps(member, sort_keys=True))
print(sys.argv[2], json.dumps(found, sort_keys=True, indent=1))
PY
}
for gate in 'passkey>=50%' 'passkey@512>=100.1%'; do
  options=("$patched" --factors "$factors" "${questions[@]}" --require "$gate")
  measure "$program" verify "${options[@]}" > "$place/alone"
  for ranks in 1 2 5; do
    measure start "$ranks" verify "${options[@]}" > "$place/shared"
    cmp "$place/alone" "$place/shared"
    echo "ok    verify on $ranks ranks, $gate: the same result, exit $(head -c 1 "$place/alone")"
  done
done

# A rank dies in the middle of a long run.
launch 2 --iterations 400 -o "$place/killed.json" > "$place/killed.out" 2>&1 &
for _ in $(seq 300); do [ -s "$place/killed.json.checkpoint" ] && break; sleep 0.1; done
victim=$(pgrep -f "$program search .*killed.json" | tail -1)
kill -9 "$victim"
if wait %1; then echo "FAIL  the run went on without a rank" >&2; exit 1; fi
[ ! -e "$place/killed.json" ] || { echo "FAIL  a lost rank left a result" >&2; exit 1; }
cp "$place/killed.json.checkpoint" "$place/copy"
for ranks in 1 2; do
  launch "$ranks" --resume "$place/copy" --checkpoint "$place/after.$ranks" --evaluations 200 -o "$place/after.$ranks.json"
done
cmp "$place/after.1.json" "$place/after.2.json"
echo "ok    a killed rank ends the run; its checkpoint can be resumed"
