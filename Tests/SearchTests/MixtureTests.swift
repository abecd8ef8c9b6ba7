import Formats
import Foundation
import Models
import Patch
import TestSupport
import Testing
import Verify

@testable import Inference
@testable import Search

/// Training data of mixed windows.
@Suite("Mixed windows") struct MixtureTests {
  @Test func rowsAreFullAndKeepTheirKind() throws {
    var settings = Mixture.Settings(originalWindow: 64, window: 256)
    settings.shortShare = 0.4
    // Without them, a model would not see its beginning token in training.
    (settings.beginning, settings.end) = (7777, 8888)
    let documents =
      [(0..<5000).map { $0 % 900 }] + (0..<40).map { Array(repeating: $0, count: 20 + $0) }
    let mixture = try Mixture(documents, settings)
    #expect(mixture.rows.contains(where: \.isLong) && mixture.rows.contains { !$0.isLong })
    for row in mixture.rows {
      #expect(row.tokens.count == 256 && row.positions.count == 256 && row.positions[0] == 0)
      for (position, next) in zip(row.positions, row.positions.dropFirst()) {
        #expect(next == position + 1 || next == 0)
      }
      for (token, position) in zip(row.tokens, row.positions) {
        #expect((token == 7777) == (position == 0))
      }
      for (token, next) in zip(row.tokens, row.positions.dropFirst()) {
        #expect((token == 8888) == (next == 0))
      }
      let greatest = try #require(row.positions.max())
      #expect(row.isLong ? greatest >= 64 : greatest < 64)
    }
    #expect(try Mixture(documents, settings).rows == mixture.rows)
    settings.seed = 1
    #expect(try Mixture(documents, settings).rows != mixture.rows)
    settings.window = 100_000
    #expect(throws: ModelError.self) { try Mixture(documents, settings) }
  }
}
