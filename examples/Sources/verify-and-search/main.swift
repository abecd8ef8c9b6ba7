// verify-and-search MODEL WINDOW: judges a model, and searches factors for a window, in tokens.
import Foundation
import Patch
import Search
import Verify

let arguments = CommandLine.arguments
guard arguments.count == 3, let window = Int(arguments[2]) else {
  print("usage: verify-and-search MODEL WINDOW")
  exit(2)
}
var verify = VerifyOptions(model: arguments[1])
verify.runtimes = [.paper]
verify.depths = 3
verify.gates = [try Gate("passkey@short>=0.9")]
for verdict in try VerifyJob(verify).run().verdicts {
  print(verdict.gate.text, verdict.passes ? "passed" : "FAILED", verdict.place)
}
var search = SearchOptions(model: arguments[1], targetWindow: window)
search.algorithm = .cmaES
search.documents = 2
search.evaluations = 8
let outcome = try SearchJob(search).run { print("generation", $0.generation.number) }
print(outcome.cost.evaluations, "candidates:", outcome.factors?.long.uniform ?? [])
