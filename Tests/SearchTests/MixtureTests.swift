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

  // MARK: Skipped positions

  private static let documents =
    (0..<30).map { number in (0..<3000).map { ($0 * 7 + number) % 50 } }
    + (0..<60).map { Array(repeating: $0, count: 20 + $0) }

  private static let sentenceEnds: Set<Int> = [0, 20, 40]

  private static func settings(_ positions: MixPositions) -> Mixture.Settings {
    var settings = Mixture.Settings(originalWindow: 64, window: 256)
    settings.positions = positions
    settings.sentenceEnds = sentenceEnds
    (settings.beginning, settings.end) = (7777, 8888)
    return settings
  }

  /// Rows have L0 tokens; a long one is one segment that rises to a place below L.
  @Test(arguments: [MixPositions.pose, .longrecipe])
  func shortRowsReachThroughTheLongWindow(_ positions: MixPositions) throws {
    let mixture = try Mixture(Self.documents, Self.settings(positions))
    let long = mixture.rows.filter(\.isLong)
    #expect(long.count > 100 && long.count < mixture.rows.count)
    for row in mixture.rows {
      #expect(row.tokens.count == 64 && row.positions.count == 64 && row.positions[0] == 0)
    }
    for row in long {
      #expect(zip(row.positions, row.positions.dropFirst()).allSatisfy { $0 < $1 })
      #expect(row.positions[63] >= 64 && row.positions[63] < 256)
      #expect(row.tokens[0] == 7777 && row.tokens[63] == 8888)
    }
    // Over all rows every part of the window is reached.
    let ends = Set(long.map { $0.positions[63] / 64 })
    #expect(ends == [1, 2, 3])
    #expect(try Mixture(Self.documents, Self.settings(positions)).rows == mixture.rows)
  }

  /// PoSE: one gap, after at most half of the row.
  @Test func poseSkipsOnce() throws {
    for row in try Mixture(Self.documents, Self.settings(.pose)).rows where row.isLong {
      let gaps = (1..<64).filter { row.positions[$0] != row.positions[$0 - 1] + 1 }
      #expect(gaps.count == 1 && gaps[0] <= 32)
    }
  }

  /// LongRecipe: gaps only where a sentence begins or the first tokens end.
  @Test func longRecipeSkipsBetweenSentences() throws {
    let rows = try Mixture(Self.documents, Self.settings(.longrecipe)).rows.filter(\.isLong)
    var gaps = 0
    for row in rows {
      let found = (1..<64).filter { row.positions[$0] != row.positions[$0 - 1] + 1 }
      gaps += found.count
      #expect(found.filter { !Self.sentenceEnds.contains(Int(row.tokens[$0 - 1])) }.count <= 1)
    }
    #expect(gaps > rows.count * 3 / 2)
  }

  @Test func tokensThatLeaveNoRoomAreTheReason() {
    var settings = Self.settings(.pose)
    settings.maximumTokens = 64
    #expect {
      _ = try Mixture(Self.documents, settings)
    } throws: {
      "\($0)".contains("--tokens") && "\($0)".contains("64 tokens have no room")
    }
    settings = Self.settings(.longrecipe)
    (settings.originalWindow, settings.beginning, settings.end) = (1, nil, nil)
    #expect(throws: ModelError.self) { try Mixture(Self.documents, settings) }
  }

  @Test func aRowWithoutSentencesSkipsOnce() {
    var random = SearchRandom(seed: 1)
    let skipped = SkippedPositions(count: 64, window: 256)
    for _ in 0..<50 {
      let positions = skipped.longRecipe([], &random)
      #expect(positions[63] >= 64 && positions[63] < 256)
    }
  }
}
