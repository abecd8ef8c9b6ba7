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
  mutating func add(_ piece: [Int]) {
    let segment =
      [settings.beginning].compactMap(\.self) + piece + [settings.end].compactMap(\.self)
    let part = segment.prefix(settings.window - current.tokens.count)
    current.tokens += part.map { Int32($0) }
    current.positions += part.indices.map { Int32($0) }
    if current.tokens.count == settings.window {
      rows.append(current)
      current = Mixture.Row(isLong: isLong)
    }
  }
}
