#!/usr/bin/env bash
# The check before a release: lint, that the model carries the factors, and that it works.
#
#   scripts/release-check.sh MODEL FACTORS [options of `lrpatch verify`]
#
# LRPATCH names the program (default: lrpatch on the PATH), REPORT_FOLDER where result.json, report.html, junit.xml and
# summary.md go (default: lrpatch-report); older ones of lrpatch give way, other files of these names do not. Under GitHub Actions the summary is shown with the step and each failure is an
# annotation. All three are run, whatever the first say; the exit code is that of the first that failed.
set -uo pipefail
[ $# -ge 2 ] || { sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 2; }
model=$1 factors=$2
shift 2
lrpatch=${LRPATCH:-lrpatch}
folder=${REPORT_FOLDER:-lrpatch-report}
mkdir -p "$folder" || exit 5
# What stands there from before is not taken for this run's.
began=$(mktemp) || exit 5
trap 'rm -f "$began"' EXIT
status=0

step() {
  local name=$1 code=0
  shift
  echo "== $name"
  "$@" || code=$?
  if [ "$code" -ne 0 ]; then
    [ "$status" -ne 0 ] || status=$code
    [ -z "${GITHUB_ACTIONS:-}" ] || echo "::error title=lrpatch $name::exit $code for ${model//[$'\r\n']/ }"
  fi
}

step lint "$lrpatch" lint "$model" --strict -q
step "apply --check" "$lrpatch" apply "$factors" "$model" --check -q
step verify "$lrpatch" verify "$model" --no-progress "$@" -o "$folder/result.json" --html "$folder/report.html" \
  --junit "$folder/junit.xml" --markdown "$folder/summary.md"
if [ -n "${GITHUB_STEP_SUMMARY:-}" ] && [ "$folder/summary.md" -nt "$began" ]; then
  cat "$folder/summary.md" >> "$GITHUB_STEP_SUMMARY"
fi
exit "$status"
