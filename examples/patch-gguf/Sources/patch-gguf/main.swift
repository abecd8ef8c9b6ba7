// patch-gguf FACTORS MODEL: puts factors into a GGUF model, as `lrpatch apply` does.
import Patch

let arguments = CommandLine.arguments
guard arguments.count == 3 else { fatalError("patch-gguf FACTORS MODEL") }
let source = try FactorSource(path: arguments[1])
let apply = Apply(source.set, factorsSHA256: source.sha256, version: lrpatchVersion, options: ApplyOptions())
let session = try ModelSession(path: arguments[2], exclusive: true)
let plan = try apply.plan(for: session)
print(plan.diff)
try apply.perform(plan, in: session)
