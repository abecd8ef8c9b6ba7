import Formats
import Foundation
import TestSupport
import Testing

@testable import Patch
@testable import Verify

@Suite("Tasks and gates") struct VerifyTests {
  @Test func promptsHaveExactlyTheirLength() throws {
    let tokenizer = try Tokenizer(path: Fixture.path("models/needle-256"))
    let passkey = Passkey(tokenizer)
    for length in [128, 255, 256, 257, 1000] {
      for depth in [0, 0.5, 1.0] {
        let prompt = try passkey.prompt(length: length, depth: depth, key: 12_345)
        #expect(prompt.tokens.count == length)
        #expect(tokenizer.decode(Array(prompt.tokens[prompt.promptLength...])) == " 12345")
        #expect(tokenizer.decode(prompt.tokens).contains("The pass key is 12345. Remember it."))
      }
    }
    #expect(throws: VerifyError.self) { try passkey.prompt(length: 40, depth: 0, key: 1) }
  }

  private static func follower(_ rule: SwitchRule) throws -> Follower {
    var reading = RuntimeReading(name: "x", title: "x")
    reading.short = UsedTable(name: "short", mscale: 1, inverseFrequencies: [1, 0.5])
    reading.long = UsedTable(name: "long", mscale: 1.5, inverseFrequencies: [0.5, 0.25])
    reading.rule = rule
    return try Follower(reading)
  }

  @Test func rotatesAsEachRuntimeDoesAtTheCrossing() throws {
    // Ten tokens of prompt, then five generated; the window is 12.
    let scored = Array(10..<15)
    let fixed = try Self.follower(.fixed).passes(prompt: 10, count: 15, scored: scored)
    #expect(fixed.count == 1 && fixed[0].schedule.mscales == [1.5])
    let kept = try Self.follower(.kept(beyond: 12)).passes(prompt: 10, count: 15, scored: scored)
    #expect(kept.count == 1 && kept[0].schedule.tables == Array(repeating: 0, count: 12) + [1, 1, 1])
    let anew = try Self.follower(.recomputed(beyond: 12)).passes(prompt: 10, count: 15, scored: scored)
    #expect(anew.map(\.scored) == [[10, 11, 12], [13, 14]])
    #expect(anew.map(\.schedule.mscales) == [[1], [1.5]])
    // A prompt beyond the window is long from its first token on.
    let long = try Self.follower(.kept(beyond: 8)).passes(prompt: 10, count: 15, scored: scored)
    #expect(long[0].schedule.mscales == [1.5])
  }

  @Test func readsGates() throws {
    let names = ["paper", "hf", "vllm"]
    let gate = try #require(Gate("passkey@1024@vllm>=0.95", runtimes: names))
    #expect(gate.place == "1024" && gate.runtime == "vllm" && gate.comparison == .atLeast && gate.limit == 0.95)
    #expect(Gate("perplexity@long<=40", runtimes: names)?.place == "long")
    for text in ["passkey", "passkey=1", "speed>=1", "passkey@nowhere>=1", "passkey@1@2>=1", "passkey>=x"] {
      #expect(Gate(text, runtimes: names) == nil, "\(text)")
    }
  }

  @Test func judgesByTheWorstCellAndFailsWhatWasNotMeasured() throws {
    var measured = Measurements(originalWindow: 256)
    for (length, isExact) in [(256, true), (512, true), (512, false)] {
      measured.passkeys.append(
        Passkey.Result(
          runtime: "hf", length: length, depth: 0, sample: 0, key: 1, isExact: isExact, margin: 0))
    }
    func verdict(_ text: String) throws -> Verdict {
      measured.judge(try #require(Gate(text, runtimes: ["hf", "vllm"])))
    }
    #expect(try !verdict("passkey>=0.9").passes)
    #expect(try verdict("passkey>=0.9").worst == 0.5)
    #expect(try verdict("passkey@short>=0.9").passes)
    #expect(try verdict("passkey@512>=0.5").passes)
    #expect(try !verdict("passkey@vllm>=0.1").passes && verdict("passkey@vllm>=0.1").worst == nil)
    #expect(try !verdict("perplexity<=100").passes)
  }

  @Test func needleFailsBeforeAndPassesAfter() throws {
    let folder = try TemporaryDirectory()
    let model = try folder.copy("models/needle-256-x4.gguf")
    let arguments = ["verify", model, "--lengths", "256,512,1024", "--depths", "5", "--json"]
    let before = try Program.run(arguments)
    #expect(before.status == 1)
    let factors = Fixture.path("models/needle-256-x4.factors.json")
    let overlaid = try Program.run(arguments + ["--factors", factors])
    #expect(overlaid.status == 0 && overlaid.errors.isEmpty == false)
    #expect(try Program.run(["apply", Fixture.path("models/needle-256-x4.factors.json"), model]).status == 0)
    let after = try Program.run(arguments)
    #expect(after.status == 0, "\(after.errors)")
    #expect(overlaid.output == after.output)
    // The same bytes for any number of threads.
    #expect(try Program.run(arguments + ["--threads", "1"]).output == after.output)
    #expect(try Program.run(arguments + ["--threads", "3"]).output == after.output)
  }

  @Test func refusesWhatItCannotRun() throws {
    let folder = try TemporaryDirectory()
    let model = try folder.copy("models/needle-256", as: "m")
    func status(_ arguments: String...) throws -> Int32 { try Program.run(["verify", model] + arguments).status }
    #expect(try status("--runtime", "nonsense") == 2)
    #expect(try status("--require", "nonsense") == 2)
    #expect(try status("--lengths", "20") == 3)
    #expect(try status("--perplexity", "/nowhere") == 5)
    // A weight that is missing, and one that is not a number.
    var bytes = try Fixture.bytes("models/needle-256/model.safetensors")
    let header = try SafetensorsHeader(parsing: bytes.rawSpan)
    let norm = try #require(header.tensor(named: "model.norm.weight"))
    bytes[header.dataOffset + norm.range.lowerBound] = 0xC0
    bytes[header.dataOffset + norm.range.lowerBound + 1] = 0x7F
    try folder.write("m/model.safetensors", bytes)
    let damaged = try Program.run(["verify", model])
    #expect(damaged.status == 3 && damaged.errors.contains("model.norm.weight"))
    try FileSystem.remove("\(model)/model.safetensors")
    #expect(try status() == 3)
  }
}
