/// Fills rows with segments of one kind.
///
/// The last segment of a row is cut where the row is full.
struct SegmentPacker {
  private let settings: Mixture.Settings
  private let isLong: Bool
  private(set) var rows: [Mixture.Row] = []
  private var current: Mixture.Row

  init(_ settings: Mixture.Settings, isLong: Bool) {
    self.settings = settings
    self.isLong = isLong
    current = Mixture.Row(isLong: isLong)
  }

  /// Adds a part of a document as a segment, with the beginning and end tokens.
  mutating func add(_ piece: [Int], _ random: inout SearchRandom) {
    let segment =
      [settings.beginning].compactMap(\.self) + piece + [settings.end].compactMap(\.self)
    let part = segment.prefix(settings.rowTokens - current.tokens.count)
    current.tokens += part.map { Int32($0) }
    current.positions += positions(Array(part), &random).map { Int32($0) }
    if current.tokens.count == settings.rowTokens {
      rows.append(current)
      current = Mixture.Row(isLong: isLong)
    }
  }

  /// The positions of a segment's tokens.
  ///
  /// Where positions are skipped, a long segment is a whole row.
  private func positions(_ segment: [Int], _ random: inout SearchRandom) -> [Int] {
    let skipped = SkippedPositions(count: segment.count, window: settings.window)
    switch isLong ? settings.positions : .full {
    case .full: return Array(segment.indices)
    case .pose: return skipped.pose(&random)
    case .longrecipe:
      let starts = segment.indices.dropFirst().filter {
        settings.sentenceEnds.contains(segment[$0 - 1])
      }
      return skipped.longRecipe(starts, &random)
    }
  }
}
