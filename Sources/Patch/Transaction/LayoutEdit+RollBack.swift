import Formats
import Models

/// The restoration of a file on which an edit was begun.
extension LayoutEdit {
  /// The holes of the part of the file that the edit moves, before it does.
  ///
  /// The journal keeps them.
  /// - Throws: `FileError`, as of an unsupported operation if there are too many.
  func holesBefore(in file: borrowing Descriptor) throws(FileError) -> [Hole]? {
    guard let resize else { return nil }
    return try Hole.all(in: min(resize.offset, cutTo)..<cutTo, of: file)
  }

  /// Restores a file on which this edit was begun and possibly completed.
  ///
  /// The size shows whether blocks were inserted or removed: before the writes only the truncation
  /// and the resize change it, and later steps do not change it back. If a power loss stopped the
  /// resize halfway, the holes show where. An interrupted restoration can be repeated.
  /// - Parameters:
  ///   - inverse: the result of `inverse` before the edit began.
  ///   - holesBefore: the result of `holesBefore` before the edit began.
  /// - Throws: `ModelError` of kind `unsafe`, before anything is changed, if it cannot be known
  ///   where the resize stopped; `FileError`.
  func rollBack(
    _ file: borrowing Descriptor, by inverse: LayoutEdit, holesBefore: [Hole]
  ) throws {
    let size = try file.status().size
    switch resize {
    case nil: break
    case .insert(let offset, let count):
      let move = InterruptedMove(
        offset: offset, count: count, shortSize: cutTo, holes: holesBefore)
      if size >= move.longSize {
        try file.close(try gap(of: move, in: file), of: move)
      }
    case .collapse(let offset, let count):
      let move = InterruptedMove(
        offset: offset, count: count, shortSize: cutTo - count,
        holes: Self.withoutRemoved(holesBefore, offset: offset, count: count))
      let gap = size > move.shortSize ? try gap(of: move, in: file) : nil
      if gap == offset { break }
      if let gap { try file.close(gap, of: move) } else { try file.truncate(to: move.shortSize) }
      try file.insertRange(at: offset, count: count)
    }
    try file.truncate(to: oldSize)
    for write in inverse.writes { try file.write(write.bytes.bytes, at: write.offset) }
    try file.sync()
  }

  /// Where the gap of an interrupted move is in the file.
  private func gap(of move: InterruptedMove, in file: borrowing Descriptor) throws -> Int {
    let now = try file.holes(in: move.offset..<move.longSize, limit: 2 * Hole.limit)
    guard let now,
      let gap = move.gap(
        now: now.map { Hole($0.lowerBound, $0.upperBound) }, blockSize: try file.status().blockSize)
    else {
      throw ModelError.unsafe(
        file.path,
        "an interrupted change has moved a part of its data, and where it stopped is not known; restore the file from another copy, and remove the journal next to it"
      )
    }
    return gap
  }

  private static func withoutRemoved(_ holes: [Hole], offset: Int, count: Int) -> [Hole] {
    holes.compactMap { $0.clamped(to: (offset + count)..<Int.max) }.map { $0.shifted(by: -count) }
  }
}

extension LayoutEdit.Resize {
  fileprivate var offset: Int {
    switch self {
    case .insert(let offset, _), .collapse(let offset, _): offset
    }
  }
}

extension Descriptor {
  /// Removes the gap of a move, so that the file has the short form.
  fileprivate borrowing func close(_ gap: Int, of move: InterruptedMove) throws(FileError) {
    guard gap < move.shortSize else { return try truncate(to: move.shortSize) }
    try truncate(to: move.longSize)
    try collapseRange(at: gap, count: move.count)
  }
}
