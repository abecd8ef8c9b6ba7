import Formats
import Foundation
import Models
import Patch
import TestSupport
import Testing

@testable import Inference

/// Runs a tiny random model of every architecture forward, as a folder and as a GGUF file, patched
/// and not, within and beyond the window.
///
/// The log-probabilities are those of transformers, MLX-LM and llama.cpp;
/// fixtures/make/make_golden_architectures.py writes them.
@Suite("Every architecture") struct ArchitectureTests {
  struct Case: CustomTestStringConvertible, Sendable {
    var name: String
    /// In fixtures/.
    var model: String
    /// Whose choice of table is followed.
    var runtime: String
    /// In fixtures/; nil for the model as it is.
    var factors: String?
    var tokens: [Int]
    /// Of every token but the first.
    var values: [Double]

    var testDescription: String { name }

    init?(_ json: JSONValue) {
      guard let name = json["name"]?.text, let model = json["model"]?.text,
        let runtime = json["runtime"]?.text, let tokens = json["tokens"]?.doubles,
        let values = json["values"]?.doubles, values.count == tokens.count - 1
      else { return nil }
      self.name = name
      self.model = model
      self.runtime = runtime
      factors = json["factors"]?.text
      self.tokens = tokens.map { Int($0) }
      self.values = values
    }
  }

  static let all: [Case] = {
    let json = try? JSONDocument(path: Fixture.path("golden/architectures.json")).value
    return (json?.elements ?? []).compactMap(Case.init)
  }()

  /// Whether the record of the model's architecture describes a layer.
  static func isRun(_ item: Case) -> Bool {
    (try? ModelFile(path: Fixture.path(item.model)).architecture.decoder) != nil
  }

  /// A new architecture without a golden fixture fails here.
  @Test func coverEveryArchitectureThatCanBeRun() throws {
    #expect(Self.all.count >= 138)
    var (folders, files): (Set<String>, Set<String>) = ([], [])
    for item in Self.all where Self.isRun(item) {
      let model = try ModelFile(path: Fixture.path(item.model))
      switch model.format {
      case .folder: folders.insert(model.architecture.name)
      case .gguf: files.insert(model.architecture.gguf?.name ?? "")
      }
    }
    for architecture in Architecture.all where architecture.decoder != nil {
      // The text half of Phi-3-vision is Phi-3.
      if architecture.modelType == "phi3_v" { continue }
      #expect(folders.contains(architecture.name), "no folder of \(architecture.name)")
      if let name = architecture.gguf?.name { #expect(files.contains(name), "no GGUF of \(name)") }
    }
  }

  @Test(arguments: all.filter(isRun)) func agreesWithItsReference(_ item: Case) throws {
    let place = try TemporaryDirectory()
    let path = try place.copy(item.model)
    if let factors = item.factors { try Self.apply(Fixture.path(factors), to: path) }
    let inspection = try Inspection(ModelSession(path: path, exclusive: false))
    let reading = try #require(inspection.readings.first { $0.name == item.runtime })
    let forward = ForwardPass(try Transformer(path: path), threads: 2)
    let scores = try forward.logProbabilities(of: item.tokens, RopePolicy(reading))
    let worst = zip(scores, item.values).map { abs($0 - $1) }.max() ?? 1
    // llama.cpp rounds otherwise in attention; transformers and MLX-LM agree to 1e-5.
    #expect(scores.count == item.values.count && worst < 1e-4, "\(worst)")
  }

  static func apply(_ factors: String, to path: String) throws {
    let source = try FactorSource(path: factors)
    var options = ApplyOptions()
    options.allowDivergent = true
    let apply = Apply(
      source.set, factorsSHA256: source.sha256, version: "test", options: options)
    let session = try ModelSession(path: path, exclusive: true)
    try apply.perform(apply.plan(for: session), in: session)
  }
}

extension ForwardPass {
  /// Of every token but the first, given all before it.
  func logProbabilities(of tokens: [Int], _ policy: RopePolicy) throws -> [Double] {
    var result: [Double] = []
    let sequence = Scoring.Sequence(
      tokens: tokens, prompt: tokens.count, scored: Array(1..<tokens.count))
    try Scoring(self, [policy]).run([sequence]) { _, _, scores in
      result = scores.map(\.logProbability)
    }
    return result
  }
}
