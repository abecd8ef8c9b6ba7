import Formats
import Inference
import Models
import TestSupport
import Testing

@testable import Verify

/// A saved result says everything that it takes to measure it again.
@Suite("Repeated options") struct RepetitionTests {
  private static func options() -> VerifyOptions {
    var options = VerifyOptions(model: Fixture.path("models/needle-256.gguf"))
    options.runtimes = [.paper]
    options.lengths = [128]
    options.depths = 1
    options.samples = 1
    options.gates = []
    return options
  }

  /// - Parameter change: changes the result as it is saved.
  private static func repeated(
    _ options: VerifyOptions, _ change: (String) -> String = { $0 }
  ) throws -> VerifyOptions {
    let saved = try VerifyJob(options).run().document.json
    let text = change(String(decoding: JSONStyle.standard.encode(saved), as: UTF8.self))
    let json = try JSONDocument(parsing: Array(text.utf8)).value
    let result = try ResultDocument(json: json, subject: "result")
    return try VerifyOptions(repeating: result, of: options.model, subject: "result")
  }

  @Test func namesTheMethodsWithoutFactors() throws {
    var options = Self.options()
    let plain = try Self.repeated(options)
    #expect(plain.selfExtend == nil && !plain.usesDynamicNTK)
    options.selfExtend = SelfExtend(group: 4, window: 32)
    options.usesDynamicNTK = true
    let again = try Self.repeated(options)
    #expect(again.selfExtend == options.selfExtend && again.usesDynamicNTK)
    #expect(throws: ModelError.self) {
      try Self.repeated(options) { $0.replacing("\"window\": 32", with: "\"window\": 33") }
    }
  }

  @Test func readsResultsOfOlderVersions() throws {
    let again = try Self.repeated(Self.options()) {
      $0.replacing("\"self_extend\": null,", with: "")
        .replacing("\"dynamic_ntk\": false,", with: "")
    }
    #expect(again.selfExtend == nil && !again.usesDynamicNTK)
  }
}
