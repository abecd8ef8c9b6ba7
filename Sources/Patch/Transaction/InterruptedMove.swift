/// A move of the end of a file that a power loss may have stopped anywhere.
///
/// A file system inserts or removes blocks extent by extent, each in a transaction of its own. So
/// after a power loss one part may have moved and the other not, with a gap between them:
///
/// ```
/// short  | ... | first part | second part |
/// long   | ... | gap | first part | second part |
/// between| ... | first part | gap | second part |
/// ```
///
/// The size is that of the long form, because file systems grow a file before they insert blocks,
/// and shrink it after they have removed them (xfs_insert_file_space, xfs_collapse_file_space,
/// ext4_insert_range and ext4_collapse_range of Linux). The gap is a hole. It shows where the move
/// stopped, as long as the holes that were there before are known.
struct InterruptedMove: Sendable {
  /// The place of the gap in the long form.
  let offset: Int
  /// The size of the gap.
  let count: Int
  /// The size of the short form.
  let shortSize: Int
  /// The holes of the short form from `offset` on.
  let holes: [Hole]

  var longSize: Int { shortSize + count }

  /// Where the gap is, or nil if the holes of the file fit no place.
  /// - Parameters:
  ///   - now: the holes from `offset` to `longSize`, in order.
  ///   - blockSize: that of the file system. The last block may be partly beyond the short form.
  func gap(now: [Hole], blockSize: Int) -> Int? {
    if isLongForm(now) { return offset }
    for hole in now {
      let isAtEnd = (shortSize..<shortSize + blockSize) ~= hole.start
      let place = isAtEnd ? shortSize : hole.start
      if place <= shortSize, expected(place, gapStart: hole.start) == now { return place }
    }
    return nil
  }

  /// Whether everything has moved.
  ///
  /// The gap, and other holes, may have been written to since.
  private func isLongForm(_ now: [Hole]) -> Bool {
    let behind = now.compactMap { $0.clamped(to: (offset + count)..<longSize) }
    let moved = Hole.joined(holes.map { $0.shifted(by: count) })
    return behind.allSatisfy { hole in
      moved.contains { $0.start <= hole.start && hole.end <= $0.end }
    }
  }

  /// The holes if the gap is at `place`.
  private func expected(_ place: Int, gapStart: Int) -> [Hole] {
    let before = holes.compactMap { $0.clamped(to: offset..<place) }
    let behind = holes.compactMap { $0.clamped(to: place..<max(place, shortSize)) }
    return Hole.joined(
      before + [Hole(gapStart, place + count)] + behind.map { $0.shifted(by: count) })
  }
}
