import Formats
import Foundation
import Models
import Patch
import TestSupport
import Testing
import Verify

@testable import Inference
@testable import Search

/// The documents and needles whose losses are a fitness, and the comparison of two fitnesses.
@Suite("Fitness") struct FitnessTests {
  @Test func textsThatAreTooShortAreRefused() throws {
    var settings = FitnessSettings(length: 300)
    settings.documents = 5
    let tokenizer = try Tokenizer(path: SearchFixture.model)
    #expect(throws: ModelError.self) {
      try FitnessUnits(settings, texts: [Array(repeating: 5, count: 1200)], tokenizer: tokenizer)
    }
    settings.documents = 0
    settings.needles = 2
    settings.length = 20
    #expect(throws: ModelError.self) {
      try FitnessUnits(settings, texts: [[5]], tokenizer: tokenizer)
    }
  }

  @Test func needlePromptsAreTheirOwners() throws {
    let tokenizer = try Tokenizer(path: SearchFixture.model)
    for (prompt, words) in [
      (
        NeedlePrompt.paper,
        ["numerous-kite is: ", "What is the special magic number for numerous-kite"]
      ),
      (.released, ["wandering-age is: ", "mentioned in the provided text is:"]),
      (.passkey, ["The pass key is "]),
    ] {
      var settings = FitnessSettings(length: 700)
      settings.needles = 3
      settings.needlePrompt = prompt
      let units = try FitnessUnits(settings, texts: [Array(10..<900)], tokenizer: tokenizer).units
      #expect(units.count == 3 && Set(units.map(\.depth)) == [0, 0.5, 1])
      for unit in units {
        let text = tokenizer.decode(unit.sequence.tokens)
        for word in words { #expect(text.contains(word), "\(prompt)") }
        #expect(unit.sequence.tokens.count == 700 && unit.sequence.scored.last == 699)
        let answer = tokenizer.decode(unit.sequence.scored.map { unit.sequence.tokens[$0] })
        #expect(
          answer.filter(\.isNumber).count >= 5
            && text.contains(answer.trimmingCharacters(in: .whitespaces)))
      }
    }
  }

  /// Every key of a prompt is asked for, in another order, and only its digits are scored.
  @Test func severalKeysAreAskedForAtOnce() throws {
    let tokenizer = try Tokenizer(path: SearchFixture.model)
    var settings = FitnessSettings(length: 1000)
    settings.needles = 2
    settings.needlePrompt = .keys
    let text = Array(10..<900)
    let units = try FitnessUnits(settings, texts: [text], tokenizer: tokenizer).units
    #expect(units.count == 2)
    for unit in units {
      #expect(unit.sequence.tokens.count == 1000 && unit.sequence.weights == nil)
      let whole = tokenizer.decode(unit.sequence.tokens)
      let hidden = whole.matches(of: /The pass key of ([A-Z][a-z]+) is (\d{5})\. Remember/)
        .map { "\($0.1) \($0.2)" }
      let parts = whole.components(separatedBy: "What are the pass keys?")
      let asked = try #require(parts.last).matches(of: /The pass key of ([A-Z][a-z]+) is (\d{5})\./)
      #expect(hidden.count == 8 && Set(hidden) == Set(asked.map { "\($0.1) \($0.2)" }))
      let digits = tokenizer.decode(unit.sequence.scored.map { unit.sequence.tokens[$0] })
      #expect(digits.filter(\.isNumber) == asked.map { String($0.2) }.joined())
      #expect(digits.allSatisfy { $0.isNumber || $0 == " " })
    }
    settings.length = 100
    #expect(throws: ModelError.self) {
      try FitnessUnits(settings, texts: [text], tokenizer: tokenizer)
    }
  }

  /// One pass over such a prompt gives the loss of its haystack as a document, too.
  @Test func haystacksCountAsDocuments() throws {
    let tokenizer = try Tokenizer(path: SearchFixture.model)
    var settings = FitnessSettings(length: 400)
    settings.needles = 1
    settings.needlePrompt = .keys
    settings.needleWeight = 0.25
    let text = tokenizer.encode(String(repeating: "Call me Ishmael. ", count: 200))
    var short = settings
    short.scoresHaystack = true
    #expect(throws: ModelError.self) {
      try FitnessUnits(short, texts: [Array(text.prefix(399))], tokenizer: tokenizer)
    }
    func units() throws -> FitnessUnits {
      try FitnessUnits(settings, texts: [text], tokenizer: tokenizer)
    }
    let digits = try units().units[0].sequence
    settings.scoresHaystack = true
    let both = try units()
    let sequence = both.units[0].sequence
    let weights = try #require(sequence.weights)
    #expect(both.units[0].kind == .both && settings.kind == .both)
    #expect(sequence.tokens == digits.tokens && abs(weights.reduce(0, +) - 1) < 1e-12)
    let isDigit = Set(digits.scored)
    let share = zip(sequence.scored, weights).filter { isDigit.contains($0.0) }.map(\.1)
    #expect(share.count == digits.scored.count && abs(share.reduce(0, +) - 0.25) < 1e-12)
    // The loss and its derivatives are those of the parts.
    let forward = ForwardPass(try Transformer(path: SearchFixture.model), threads: 1)
    let geometry = try ModelFile(path: SearchFixture.model).geometry
    let policy = RopePolicy(
      trying: Array(repeating: 2, count: geometry.rotaryDimensions / 2), startTokens: 0, mscale: 1,
      pairMscales: nil, geometry: geometry)
    let haystack = Scoring.Sequence(
      tokens: sequence.tokens, prompt: sequence.prompt,
      scored: sequence.scored.filter { !isDigit.contains($0) })
    let whole = try forward.gradient(sequence, policy)
    let parts = try [haystack, digits].map { try forward.gradient($0, policy) }
    #expect(abs(whole.loss - (0.75 * parts[0].loss + 0.25 * parts[1].loss)) < 1e-5)
    for (index, value) in whole.logFactors.enumerated() {
      let expected = 0.75 * parts[0].logFactors[index] + 0.25 * parts[1].logFactors[index]
      #expect(abs(value - expected) < 1e-4)
    }
    var scored = 0.0
    try Scoring(forward, [policy]).run([sequence]) { _, _, scores in scored = sequence.loss(scores)
    }
    #expect(abs(scored - whole.loss) < 1e-5)
  }

  @Test func partsOfATextDoNotOverlap() throws {
    let tokenizer = try Tokenizer(path: SearchFixture.model)
    func tokens(_ part: Int) throws -> Set<Int> {
      var settings = FitnessSettings(length: 100)
      settings.documents = 3
      (settings.part, settings.parts) = (part, 2)
      let text = Array(0..<1000)
      return Set(
        try FitnessUnits(settings, texts: [text], tokenizer: tokenizer).units.flatMap {
          $0.sequence.tokens.dropFirst()
        }
      )
    }
    #expect(try tokens(1).isDisjoint(with: tokens(2)))
  }

  @Test func comparisonsCallTiesTies() {
    let even = Comparison.Estimate([1, 1.1, 0.9, 1.05, 0.95])
    #expect(
      abs(even.mean - 1) < 1e-12
        && abs(even.halfWidth - 2.77645 * 0.0790569 / 5.0.squareRoot()) < 1e-4)
  }
}
