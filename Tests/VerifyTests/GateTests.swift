import Formats
import Foundation
import TestSupport
import Testing

@testable import Inference
@testable import Models
@testable import Numerics
@testable import Patch
@testable import Verify

/// What a gate demands, and which measurement it judges.
@Suite("Gates") struct GateTests {
  @Test func readsGates() throws {
    let names = ["paper", "hf", "vllm"]
    let gate = try Gate("passkey@1024@vllm>=95%", runtimes: names)
    #expect(
      gate.place == .length(1024) && gate.runtime == "vllm" && gate.comparison == .atLeast
        && gate.limit == 0.95)
    #expect(try Gate("perplexity@long<=40", runtimes: names).place == .long)
    #expect(
      try Gate("niah_multikey_2@hf@short>=0.5", runtimes: names).metric.rawValue
        == "niah_multikey_2")
    for (text, problem) in [
      ("passkey", "is not a gate"), ("passkey=1", "is not a gate"), ("speed>=1", "unknown metric"),
      ("passkey@nowhere>=1", "neither a length"), ("passkey@1@2>=1", "the second one"),
      ("passkey>=x", "is not a number"), ("passkey>=95", "such as 0.95 or 95%"),
      ("top1>=101%", "share from 0 to 1"), ("vt>=1k", "is not a number"),
    ] {
      let error = #expect(throws: OptionError.self) { try Gate(text, runtimes: names) }
      #expect(error?.message.contains(problem) == true, "\(text): \(error?.message ?? "")")
    }
  }

  @Test func judgesByTheWorstPlaceAndFailsWhatWasNotMeasured() throws {
    var measured = Measurements(originalWindow: 256)
    measured.expect([.passkey, .publishedPasskey], ["hf"], length: 256)
    measured.expect([.passkey, .publishedPasskey], ["hf"], length: 512, count: 3)
    for (length, isExact) in [(256, true), (512, true), (512, false)] {
      measured.add(
        Passkey.Result(
          runtime: "hf", cell: .init(length: length, depth: 0, sample: 0), key: 1, isExact: isExact,
          isPublished: true, margin: 0))
    }
    func verdict(_ text: String) throws -> Verdict {
      measured.judge(try Gate(text, runtimes: ["hf", "vllm"]))
    }
    // One cell of 512 is still missing.
    #expect(try !verdict("passkey@512>=0.1").passes && verdict("passkey@512>=0.1").worst == nil)
    #expect(try verdict("passkey@short>=0.9").passes)
    measured.missing = [:]
    #expect(try !verdict("passkey>=0.9").passes)
    #expect(try verdict("passkey>=0.9").worst == 0.5)
    #expect(try verdict("passkey_published>=1").passes)
    #expect(try verdict("passkey@512>=0.5").passes)
    #expect(try !verdict("passkey@vllm>=0.1").passes && verdict("passkey@vllm>=0.1").worst == nil)
    #expect(try !verdict("perplexity<=100").passes)
  }

  /// Nor does the papers' rule count beside a runtime.
  @Test func countsMethodsWithoutFactorsOnlyByName() throws {
    var measured = Measurements(originalWindow: 256)
    func add(_ runtime: String, _ isExact: Bool) {
      measured.add(
        Passkey.Result(
          runtime: runtime, cell: .init(length: 512, depth: 0, sample: 0), key: 1,
          isExact: isExact, isPublished: true, margin: 0))
    }
    for name in ExtensionMethod.names { add(name, false) }
    #expect(try measured.judge(Gate("passkey>=0.9")).worst == nil)
    add("paper", true)
    #expect(try measured.judge(Gate("passkey>=0.9")).passes)
    #expect(try !measured.judge(Gate("passkey@self-extend>=0.9")).passes)
    add("hf", false)
    #expect(try !measured.judge(Gate("passkey>=0.9")).passes)
    #expect(measured.comparedRuntimes == ExtensionMethod.names + ["hf"])
  }
}
