import Formats
import Foundation
import Models
import Patch
import TestSupport
import Testing

@testable import Inference
@testable import Numerics

/// The derivatives of a loss by the rotation of each pair in each layer.
@Suite("Gradients") struct GradientTests {
  /// A sequence of one of the tiny models, with the derivatives by PyTorch or MLX;
  /// fixtures/make/make_golden_gradients.py writes them.
  struct Case: CustomTestStringConvertible, Sendable {
    var model: String
    var factors: [Double]
    var mscale: Double
    var tokens: [Int]
    var loss: Double
    var logFrequencies: [[Double]]
    var logMscales: [[Double]]

    var testDescription: String { model }

    init?(_ json: JSONValue) {
      func lists(_ name: String) -> [[Double]]? {
        json[name]?.elements?.compactMap { $0.doubles }
      }
      guard let model = json["model"]?.text, let factors = json["factors"]?.text,
        let set = try? FactorSource(path: Fixture.path(factors)).set.long.uniform,
        let mscale = json["mscale"]?.double, let tokens = json["tokens"]?.doubles,
        let loss = json["loss"]?.double, let logFrequencies = lists("log_frequencies"),
        let logMscales = lists("log_mscales")
      else { return nil }
      self.model = model
      self.factors = set
      self.mscale = mscale
      self.tokens = tokens.map { Int($0) }
      self.loss = loss
      self.logFrequencies = logFrequencies
      self.logMscales = logMscales
    }

    var sequence: Scoring.Sequence {
      Scoring.Sequence(
        tokens: tokens, prompt: tokens.count, scored: Array(1..<tokens.count))
    }

    func policy(_ factors: [Double]? = nil, startTokens: Int = 0) throws -> RopePolicy {
      RopePolicy(
        trying: factors ?? self.factors, startTokens: startTokens, mscale: mscale, pairMscales: nil,
        geometry: try ModelFile(path: Fixture.path(model)).geometry)
    }

    func forward(_ engine: Engine) throws -> ForwardPass {
      ForwardPass(try Transformer(path: Fixture.path(model)), engine)
    }
  }

  static let all: [Case] = {
    let json = try? JSONDocument(path: Fixture.path("golden/gradients.json")).value
    return (json?.elements ?? []).compactMap(Case.init)
  }()

  /// The greatest difference, relative to the greatest number.
  static func difference(_ found: [[Double]], _ expected: [[Double]]) -> Double {
    let greatest = expected.joined().map(abs).max() ?? 0
    let pairs = zip(found.joined(), expected.joined())
    return (pairs.map { abs($0 - $1) }.max() ?? .infinity) / greatest
  }

  @Test func coverEveryArchitectureThatCanBeRun() throws {
    let covered = Set(
      try Self.all.map { try ModelFile(path: Fixture.path($0.model)).architecture.name })
    for architecture in Architecture.all where architecture.decoder != nil {
      #expect(
        covered.contains(architecture.name) || architecture.modelType == "phi3_v",
        "\(architecture.name)")
    }
  }

  @Test(arguments: all) func agreeWithAutomaticDifferentiation(_ item: Case) throws {
    let forward = try item.forward(Engine(.exact, threads: 2))
    let gradient = try forward.gradient(item.sequence, item.policy())
    #expect(abs(gradient.loss - item.loss) < 1e-5)
    let errors = [
      Self.difference(gradient.logFrequencies, item.logFrequencies),
      Self.difference(gradient.logMscales, item.logMscales),
    ]
    #expect(errors.allSatisfy { $0 < 1e-4 }, "\(errors)")
  }

  /// Central differences of the loss itself, along the gradient.
  ///
  /// Not of the models whose loss has steps, where an expert changes, or many kinks, where a
  /// feed-forward clips.
  @Test(arguments: all.filter { !$0.model.hasSuffix("phimoe") && !$0.model.hasSuffix("phi3small") })
  func agreeWithDifferencesOfTheLoss(_ item: Case) throws {
    let forward = try item.forward(Engine(.exact, threads: 2))
    let slopes = try forward.gradient(item.sequence, item.policy()).logFactors
    let length = slopes.reduce(0) { $0 + $1 * $1 }.squareRoot()
    let direction = slopes.map { $0 / length }
    func loss(_ step: Double) throws -> Double {
      let factors = zip(item.factors, direction).map { $0 * exp($1 * step) }
      return try forward.gradient(item.sequence, item.policy(factors)).loss
    }
    // At position 255, a step turns the fastest pair by 0.05.
    let step = 2e-4
    let difference = (try loss(step) - loss(-step)) / (2 * step)
    #expect(abs(difference - length) < 0.02 * length + 2e-4, "\(difference), \(length)")
  }

  @Test func doNotDependOnThreads() throws {
    let item = try #require(Self.all.first)
    let results = try [1, 3].map { threads in
      try item.forward(Engine(.exact, threads: threads)).gradient(item.sequence, item.policy())
    }
    #expect(results[0].loss == results[1].loss)
    #expect(results[0].logFrequencies == results[1].logFrequencies)
  }

  /// Every level of kernels, exact and in bf16.
  @Test(arguments: KernelTable.all.indices) func agreeOnEveryLevel(_ level: Int) throws {
    let kernels = KernelTable.all[level]
    for (name, coarse) in [("llama", 0.1), ("phi3small", 0.3), ("phimoe", 0.3)] {
      let item = try #require(Self.all.first { $0.model.hasSuffix("/\(name)") })
      for (usesBF16, bound) in [(false, 1e-4), (true, coarse)] {
        let engine = Engine(.exact, threads: 2, kernels: kernels, usesBF16: usesBF16)
        let gradient = try item.forward(engine).gradient(item.sequence, item.policy())
        let error = Self.difference(gradient.logFrequencies, item.logFrequencies)
        #expect(error < bound, "\(kernels.name), \(name), bf16 \(usesBF16): \(error)")
      }
    }
  }

  /// Tokens that keep their original angles do not count.
  @Test func leaveOutStartTokens() throws {
    let item = try #require(Self.all.first)
    let forward = try item.forward(Engine(.exact, threads: 2))
    let none = try forward.gradient(
      item.sequence, item.policy(startTokens: item.tokens.count))
    #expect(none.logFactors.allSatisfy { $0 == 0 } && none.logMscale == 0)
    let some = try forward.gradient(item.sequence, item.policy(startTokens: 8))
    #expect(some.logFactors != (try forward.gradient(item.sequence, item.policy()).logFactors))
  }
}
