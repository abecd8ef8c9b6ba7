import Formats
import Foundation
import TestSupport
import Testing

/// Runs of the command `verify` that end early, measure a part, or only estimate.
@Suite("Partial runs of verify") struct PartialRunTests {
  /// A signal reaches the program whatever threads its libraries have started, and results are
  /// kept.
  @Test(arguments: [SIGINT, SIGTERM]) func keepsWhatItKnowsWhenInterrupted(_ signal: Int32) throws {
    let folder = try TemporaryDirectory()
    let model = try folder.copy("models/needle-256-x4.gguf")
    let result = "\(folder.path)/result.json"
    let process = Process()
    process.executableURL = URL(fileURLWithPath: Program.path)
    process.arguments = [
      "verify", model, "--lengths", "128,64k", "--depths", "300", "--no-gates", "-o", result,
      "--time-budget", "60s",
    ]
    process.standardOutput = FileHandle.nullDevice
    let terminal = try PseudoTerminal()
    process.standardError = terminal.program
    process.environment = ["TERM": "xterm"]
    try process.run()
    // The line is drawn again when the first passkeys are measured.
    #expect(terminal.waits(for: "passkey", times: 2))
    kill(process.processIdentifier, signal)
    process.waitUntilExit()
    #expect(process.terminationReason == .exit && process.terminationStatus == 130)
    let json = try JSONDocument(path: result).value
    #expect(json["complete"]?.flag == false && json["passkeys"]?.elements?.isEmpty == false)
    #expect(json["missing"]?.elements?.isEmpty == false)
  }

  @Test func stopsWithWhatItKnows() throws {
    let folder = try TemporaryDirectory()
    let model = try folder.copy("models/needle-256-x4.gguf")
    let arguments = [
      "verify", model, "--lengths", "256,512,1024,2048,4096,8192", "--json", "--depths", "40",
    ]
    let run = try Program.run(arguments + ["--time-budget", "0.4s"])
    #expect(run.status == 1 && run.errors.contains("time budget"))
    let json = try JSONDocument(parsing: Array(run.output.utf8)).value
    #expect(json["complete"]?.flag == false && json["missing"]?.elements?.isEmpty == false)
    #expect(json["gates"]?.elements?.first?["passed"]?.flag == false)
  }

  @Test func estimatesWithoutMeasuring() throws {
    let folder = try TemporaryDirectory()
    let model = try folder.copy("models/needle-256-x4.gguf")
    let arguments = [
      "verify", model, "--lengths", "256,1024", "--depths", "3", "--runtime", "paper", "--threads",
      "2", "--estimate", "-o", "\(folder.path)/result.json",
    ]
    let json = try JSONDocument(parsing: Array(Program.run(arguments + ["--json"]).output.utf8))
    #expect(json.value["longest"]?.integer == 1024 && json.value["schema"] != nil)
    let times = try #require(json.value["times"]?.elements)
    #expect(times.compactMap { $0["threads"]?.integer } == [2, 16, 64])
    let text = try Program.run(arguments)
    #expect(text.status == 0 && text.output.contains("with 2 here"))
    #expect(!FileSystem.exists("\(folder.path)/result.json"))
    // Each part is estimated by itself.
    let whole = try #require(json.value["tokens"]?.integer)
    let parts = try (1...2).map { part in
      let run = try Program.run(arguments + ["--json", "--shard", "\(part)/2"])
      return try JSONDocument(parsing: Array(run.output.utf8)).value["tokens"]?.integer ?? 0
    }
    #expect(parts.allSatisfy { $0 > 0 } && parts.reduce(0, +) == whole)
  }

  @Test func shardsMakeUpTheWhole() throws {
    let model = Fixture.path("models/needle-256-x4.gguf")
    let arguments = [
      "verify", model, "--lengths", "128,256", "--depths", "3", "--json", "--runtime", "paper",
      "--samples", "1",
    ]
    func cells(_ more: [String]) throws -> Set<String> {
      let run = try Program.run(arguments + more)
      let cells = try VerifyCommandTests.passkeys(run.output)?.elements ?? []
      return Set(
        cells.map {
          "\($0["length"]?.integer ?? 0) \($0["depth"]?.double ?? 0) \($0["key"]?.integer ?? 0)"
        })
    }
    let whole = try cells([])
    let parts = try (1...3).map { try cells(["--shard", "\($0)/3"]) }
    #expect(whole.count == 6 && parts.map(\.count).reduce(0, +) == 6)
    #expect(parts.reduce(into: Set()) { $0.formUnion($1) } == whole)
  }
}
