#!/usr/bin/env bash
# Checks a model before its release: lints it, checks that it carries the factors, and verifies that it works.
#
#   scripts/release-check.sh MODEL FACTORS [options of `lrpatch verify`]
#
# LRPATCH names the program (default: lrpatch on the PATH), REPORT_FOLDER the folder for result.json, report.html,
# junit.xml and summary.md (default: lrpatch-report). Older files that lrpatch wrote are replaced; other files of these
# names are not. All three checks run, even if one fails; the exit code is that of the first that failed. Under GitHub
# Actions the summary is shown with the step, and each failure is an annotation.
set -uo pipefail
[ $# -ge 2 ] || { sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 2; }
model=$1 factors=$2
shift 2
lrpatch=${LRPATCH:-lrpatch}
folder=${REPORT_FOLDER:-lrpatch-report}
mkdir -p "$folder" || exit 5
# A summary from an earlier run must not pass for this run's.
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
