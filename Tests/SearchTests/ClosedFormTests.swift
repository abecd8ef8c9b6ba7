import Formats
import Foundation
import Patch
import TestSupport
import Testing

/// Compares closed forms with the published arrays, the papers' critical dimensions, and
/// transformers' formulas (fixtures/make/make_golden_longrope.py).
@Suite("Closed forms") struct ClosedFormTests {
  /// Below the critical pair the published factors of LongRoPE2 are NTK's; from it on they were
  /// searched.
  @Test(arguments: [("longrope2-llama3-8b-128k.json", 33), ("phi-4-mini-instruct.json", 31)])
  func ntkLeftGivesThePublishedFactors(_ name: String, _ critical: Int) throws {
    let published = try #require(
      FactorSource(path: Fixture.path("factors/\(name)")).set.long.uniform)
    let made = ClosedForm.ntkLeft(
      pairs: published.count, criticalPair: critical, lambda: published[critical])
    for pair in 0..<critical {
      #expect(abs(made[pair] - published[pair]) < 1e-6 * published[pair], "pair \(pair)")
    }
    #expect(made[critical...].allSatisfy { $0 == published[critical] })
  }

  /// Phi-3-mini: 31 by theory and 19 for ten periods; LLaMA3-8B: 35 and 24 (LongRoPE2, section
  /// 3.1).
  @Test(arguments: [(96, 10_000.0, 2048, 31, 19), (128, 500_000.0, 8192, 35, 24)])
  func criticalDimensionsAreThePapers(
    _ dimensions: Int, _ theta: Double, _ window: Int, _ critical: Int, _ ten: Int
  ) {
    let settings = ClosedForm.Settings(
      theta: theta, rotaryDimensions: dimensions, originalWindow: window, window: 131_072)
    #expect(settings.theoreticalCriticalPair == critical && settings.tenPeriodsPair == ten)
    #expect(settings.candidateCriticalPairs == ten...critical)
  }

  @Test func yarnAndNTKAreTransformers() throws {
    let cases = try #require(
      JSONDocument(path: Fixture.path("golden/closed-forms.json")).value["cases"]?.elements)
    #expect(cases.count >= 6)
    for item in cases {
      func number(_ name: String) throws -> Double { try #require(item[name]?.double) }
      let settings = ClosedForm.Settings(
        theta: try number("theta"), rotaryDimensions: Int(try number("dimensions")),
        originalWindow: Int(try number("original")), window: Int(try number("window")))
      let form = try #require(item["form"]?.text.flatMap(ClosedForm.init))
      let made = form.factors(settings)
      let expected = try #require(item["factors"]?.doubles)
      #expect(made.count == expected.count)
      for (found, wanted) in zip(made, expected) {
        #expect(abs(found - wanted) < 2e-6 * wanted, "\(form) \(settings)")
      }
    }
  }

  /// The exponents of MrRoPE-Pro grow by epsilon_j = 2 (1 + j - low) / ((1 + N) N) from pair to pair
  /// (arXiv 2601.22181); Llama 3 has the ends 18 and 35 (YaRN's).
  @Test func mrropeIsTheSumOfItsSteps() {
    let settings = ClosedForm.Settings(
      theta: 500_000, rotaryDimensions: 128, originalWindow: 8192, window: 131_072)
    let (low, count) = (18, 17)
    var exponent = 0.0
    for (pair, factor) in ClosedForm.mrrope.factors(settings).enumerated() {
      if (low + 1...low + count).contains(pair) {
        exponent += 2 * Double(pair - low) / Double((1 + count) * count)
      }
      #expect(abs(factor - pow(16, exponent)) < 1e-9 * factor, "pair \(pair)")
    }
    #expect(abs(exponent - 1) < 1e-12)
  }

  @Test func aLargerBaseIsThatBase() {
    var settings = ClosedForm.Settings(
      theta: 10_000, rotaryDimensions: 32, originalWindow: 256, window: 1024)
    settings.newTheta = 90_000
    let made = ClosedForm.abf.factors(settings)
    let (plain, larger) = (10_000.0, 90_000.0)
    for pair in 0..<16 {
      let ratio = pow(plain, -Double(pair) / 16) / pow(larger, -Double(pair) / 16)
      #expect(abs(made[pair] - ratio) < 1e-12 * ratio)
    }
  }

  @Test func formsKeepTheirPromises() {
    var settings = ClosedForm.Settings(
      theta: 10_000, rotaryDimensions: 32, originalWindow: 256, window: 2048)
    settings.criticalPair = 5
    for form in ClosedForm.allCases {
      let factors = form.factors(settings)
      #expect(
        factors.count == 16 && zip(factors, factors.dropFirst()).allSatisfy { $0 <= $1 + 1e-12 },
        "\(form)")
    }
    // The factor is s at the critical pair; for rcd forms this is the real critical pair.
    #expect(abs(ClosedForm.ntkRCD.factors(settings)[5] - 8) < 1e-9)
    #expect(
      ClosedForm.yarnRCD.factors(settings)[5] == 8 && ClosedForm.yarnRCD.factors(settings)[4] < 8)
    let theta = ClosedForm.ntkTheta.factors(settings)
    // The definition of the new base: a period of 256 tokens becomes one of 2048.
    let base = 10_000 * pow(theta[1], 16)
    #expect(abs(log(256 / (2 * .pi)) / log(10_000) - log(2048 / (2 * .pi)) / log(base)) < 1e-9)
  }
}
