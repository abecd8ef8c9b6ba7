/// Sequences that are run together, as a tree: what several begin with is computed once.
struct Batch: Sendable {
  struct Segment: Sendable {
    /// The segment that it continues; nil for one that begins a sequence.
    var parent: Int?
    /// The position of its first token. The parent's tokens from there on are not of this sequence.
    var start: Int
    var tokens: [Int]
    var schedule: RopeSchedule
    /// Where its tokens stand among all rows of the batch.
    var rows: Range<Int>

    var positions: Range<Int> { start..<start + tokens.count }
  }

  private(set) var segments: [Segment] = []
  /// Tokens of all segments.
  private(set) var rows = 0

  /// A sequence by itself.
  init(_ tokens: [Int], _ schedule: RopeSchedule) { _ = add(tokens, schedule, parent: nil, start: 0) }

  init() {}

  mutating func add(_ tokens: some Sequence<Int>, _ schedule: RopeSchedule, parent: Int?, start: Int) -> Int {
    let tokens = Array(tokens)
    segments.append(
      Segment(
        parent: parent, start: start, tokens: tokens, schedule: schedule, rows: rows..<rows + tokens.count))
    rows += tokens.count
    return segments.count - 1
  }

  /// The rows that a segment's tokens see, from position 0 on: pieces of its ancestors and its own.
  func chain(_ segment: Int) -> [(rows: Range<Int>, start: Int)] {
    var pieces = [(segments[segment].rows, segments[segment].start)]
    var (current, end) = (segments[segment].parent, segments[segment].start)
    while let index = current {
      let ancestor = segments[index]
      let count = min(ancestor.tokens.count, end - ancestor.start)
      if count > 0 { pieces.append((ancestor.rows.lowerBound..<ancestor.rows.lowerBound + count, ancestor.start)) }
      (current, end) = (ancestor.parent, min(end, ancestor.start))
    }
    return pieces.reversed()
  }

  /// The row of a position as a segment sees it.
  func row(of position: Int, in segment: Int) -> Int {
    for piece in chain(segment) where (piece.start..<piece.start + piece.rows.count).contains(position) {
      return piece.rows.lowerBound + position - piece.start
    }
    preconditionFailure("position \(position) is not in the sequence")
  }

  /// The segment that a row belongs to.
  func segment(ofRow row: Int) -> Int {
    var (low, high) = (0, segments.count - 1)
    while low < high {
      let middle = (low + high + 1) / 2
      if segments[middle].rows.lowerBound <= row { low = middle } else { high = middle - 1 }
    }
    return low
  }
}
