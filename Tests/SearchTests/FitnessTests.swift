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
