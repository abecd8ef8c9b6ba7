/// Sequences that are run together as a tree, so that common prefixes are computed once.
package struct Batch: Sendable {
  /// Consecutive tokens of one or several sequences.
  struct Segment: Sendable {
    /// The segment that this one continues, or nil if it begins a sequence.
    var parent: Int?
    /// The position of the first token.
    ///
    /// The parent's tokens from there on belong to other sequences.
    var start: Int
    var tokens: [Int]
    var schedule: RopeSchedule
    /// The rows of the tokens in the batch.
    var rows: Range<Int>

    var positions: Range<Int> { start..<start + tokens.count }
  }

  private(set) var segments: [Segment] = []
  /// The number of tokens in all segments.
  private(set) var rows = 0

  /// A batch of one sequence.
  package init(_ tokens: [Int], _ schedule: RopeSchedule) {
    _ = add(tokens, schedule, parent: nil, start: 0)
  }

  package init() {}

  /// Adds a segment.
  /// - Parameters:
  ///   - parent: the segment that it continues, or nil if it begins a sequence.
  ///   - start: the position of its first token.
  /// - Returns: the index of the segment.
  package mutating func add(
    _ tokens: some Sequence<Int>, _ schedule: RopeSchedule, parent: Int?, start: Int
  ) -> Int {
    let tokens = Array(tokens)
    segments.append(
      Segment(
        parent: parent, start: start, tokens: tokens, schedule: schedule,
        rows: rows..<rows + tokens.count))
    rows += tokens.count
    return segments.count - 1
  }

  /// The rows that a segment's tokens can see, from position 0 on: parts of its ancestors, and its
  /// own rows.
  package func chain(_ segment: Int) -> [(rows: Range<Int>, start: Int)] {
    var pieces = [(segments[segment].rows, segments[segment].start)]
    var (current, end) = (segments[segment].parent, segments[segment].start)
    while let index = current {
      let ancestor = segments[index]
      let count = min(ancestor.tokens.count, end - ancestor.start)
      if count > 0 {
        pieces.append((ancestor.rows.lowerBound..<ancestor.rows.lowerBound + count, ancestor.start))
      }
      (current, end) = (ancestor.parent, min(end, ancestor.start))
    }
    return pieces.reversed()
  }

  /// The row of a position in the sequence that ends with a segment.
  package func row(of position: Int, in segment: Int) -> Int {
    for piece in chain(segment)
    where (piece.start..<piece.start + piece.rows.count).contains(position) {
      return piece.rows.lowerBound + position - piece.start
    }
    preconditionFailure("position \(position) is not in the sequence")
  }

  /// The position of a row in its sequence.
  func position(ofRow row: Int) -> Int {
    let segment = segments[segment(ofRow: row)]
    return segment.start + row - segment.rows.lowerBound
  }

  /// How far keys of a row are grouped; nil if they are not.
  func selfExtend(ofRow row: Int) -> SelfExtend? {
    segments[segment(ofRow: row)].schedule.selfExtend
  }

  /// Whether far keys of any segment are grouped.
  var isGrouped: Bool { segments.contains { $0.schedule.selfExtend != nil } }

  /// The segment that contains a row.
  package func segment(ofRow row: Int) -> Int {
    var (low, high) = (0, segments.count - 1)
    while low < high {
      let middle = (low + high + 1) / 2
      if segments[middle].rows.lowerBound <= row { low = middle } else { high = middle - 1 }
    }
    return low
  }
}
