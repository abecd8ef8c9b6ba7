// patch-gguf FACTORS MODEL: writes factors into a GGUF model, as `lrpatch apply` does.
import Foundation
import Patch

let arguments = CommandLine.arguments
if arguments.count != 3 {
  print("usage: patch-gguf FACTORS MODEL")
  exit(2)
}
let source = try FactorSource(path: arguments[1])
let apply = Apply(
  source.set, factorsSHA256: source.sha256, version: lrpatchVersion, options: ApplyOptions())
let session = try ModelSession(path: arguments[2], exclusive: true)
let plan = try apply.plan(for: session)
print(plan.diff)
try apply.perform(plan, in: session)
