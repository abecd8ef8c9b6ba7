"""Patches the models with `lrpatch apply FACTORS MODEL -o OUT`, and saves `inspect OUT --json` next to OUT."""

import json

from common import WORK, Report, inspect, load_cases, lrpatch, save_cases


def main():
    report = Report("lrpatch")
    patched = []
    (WORK / "patched").mkdir()
    for case in load_cases("planned.json"):
        case.patched = str(WORK / "patched" / case.name)
        divergent = ["--allow-divergent"] if case.literal else []
        # Every runtime can read a literal mscale for phimoe, and none reads phi3small.
        if case.literal and case.model_type not in ["phimoe", "phi3small"]:
            refused = lrpatch("apply", case.factors, case.base, "-o", case.patched)
            report.check(case.name, "refused without --allow-divergent", refused.returncode == 4, refused.stderr.strip()[:120])
        result = lrpatch("apply", case.factors, case.base, "-o", case.patched, *divergent)
        message = result.stderr.strip()[:200] if result.returncode else ""
        if not report.check(case.name, "apply", result.returncode == 0, message):
            continue
        again = lrpatch("apply", case.factors, case.patched, *divergent)
        report.check(case.name, "a second apply changes nothing", again.returncode == 0 and "already" in again.stdout + again.stderr)
        json.dump(inspect(case.patched), open(case.patched + ".inspect.json", "w"))
        patched.append(case)
    save_cases(patched, "cases.json")
    report.finish()


if __name__ == "__main__":
    main()
