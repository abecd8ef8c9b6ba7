import Formats
import Foundation
import Glibc
import Patch
import Verify

extension ResultDocument {
  init(_ command: VerifyCommand, _ outcome: VerifyRun.Outcome) {
    self.init(
      method: .object([
        "precision": .string(command.precision.rawValue), "seed": .number(String(command.seed)),
        "passkey_prompt": .string(command.passkeyPrompt.rawValue), "perplexity": .string(command.method.rawValue),
        "stride": .number(command.stride), "windows": .number(command.windows), "bos": .string(command.bos.rawValue),
        "factors": command.factors.map { .string($0) } ?? .null,
        "baseline": command.baseline.map { .string($0.isEmpty ? "before the patch" : $0) } ?? .null,
        "texts": .array(outcome.texts.map { .string($0) }),
      ]), version: lrpatchVersion, model: command.model, isComplete: outcome.stop == nil, shard: command.shard,
      unfollowed: outcome.unfollowed, measured: outcome.measured, verdicts: outcome.verdicts)
    inspection = .object(InspectReport.members(outcome.inspection))
  }

  /// Whether something was judged and did not hold.
  var hasFailed: Bool { verdicts.contains { !$0.passes } }
}

extension ResultDocument.Provenance {
  /// Reads every file that goes into a run.
  init(_ command: VerifyCommand, _ session: borrowing ModelSession, arguments: [String]) throws {
    let progress = ProgressLine(isShown: !command.common.quiet && !command.work.noProgress)
    defer { progress.end() }
    let manifest = try ModelManifest(session, .runtime) { progress.show($0, "SHA-256 of the model's files") }
    let inputs = try (command.perplexity + [command.factors].compactMap(\.self)).filter { !FileSystem.isFolder($0) }
      .map { path in
        ModelManifest.File(
          name: path, size: try FileStatus(of: path, followingLinks: true).size, sha256: try sha256(file: path))
      }
    self.init(files: manifest.files, inputs: inputs, runs: [Run(arguments: arguments)])
  }
}

extension ResultDocument.Provenance.Run {
  /// This run. The number of threads changes no number, so it is left out.
  fileprivate init(arguments: [String]) {
    var command = ["lrpatch"]
    var isValue = false
    for argument in arguments.dropFirst() {
      if argument == "--threads" {
        isValue = true
      } else if isValue || argument.hasPrefix("--threads=") {
        isValue = false
      } else {
        command.append(argument)
      }
    }
    self.init(command: command, system: Machine.system, processor: Machine.processor)
  }
}
