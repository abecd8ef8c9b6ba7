import Formats

/// A change to one large file that leaves most of its bytes where they are, possibly moved as one piece.
///
/// Performed in this order: cut the file to `cutTo` bytes, insert or collapse a range, overwrite. Its inverse has the
/// same shape, so that applying, undoing, and recovering after a crash are one piece of code.
package struct LayoutEdit: Equatable, Sendable, Codable {
  enum Resize: Equatable, Sendable, Codable {
    /// Moves what follows `offset` up by `count` bytes.
    case insert(offset: Int, count: Int)
    /// Takes `count` bytes at `offset` out.
    case collapse(offset: Int, count: Int)
  }

  /// Bytes at a place of the new file. Writes do not overlap.
  struct Write: Equatable, Sendable, Codable {
    var offset: Int
    var bytes: PackedBytes

    init(_ offset: Int, _ bytes: [UInt8]) {
      self.offset = offset
      self.bytes = PackedBytes(bytes)
    }

    var end: Int { offset + bytes.count }
  }

  /// Bytes of the file before.
  var oldSize: Int
  /// Bytes that are kept of it; `oldSize` where nothing is cut.
  var cutTo: Int
  var resize: Resize?
  var writes: [Write]

  /// Bytes of the file once it is cut and resized.
  var resizedSize: Int {
    switch resize {
    case nil: cutTo
    case .insert(_, let count): cutTo + count
    case .collapse(_, let count): cutTo - count
    }
  }

  /// Bytes of the file after.
  var newSize: Int { max(resizedSize, writes.map(\.end).max() ?? 0) }

  /// The edit that undoes this one.
  /// - Parameter read: reads a range of the file before.
  func inverse(_ read: (Range<Int>) throws -> [UInt8]) rethrows -> LayoutEdit {
    var lost: [Range<Int>] = writes.flatMap { oldRanges($0.offset..<$0.end) }
    if cutTo < oldSize { lost.append(cutTo..<oldSize) }
    if case .collapse(let offset, let count) = resize { lost.append(offset..<offset + count) }
    let saved = try Self.merged(lost).map { Write($0.lowerBound, try read($0)) }
    let undoing: Resize? =
      switch resize {
      case nil: nil
      case .insert(let offset, let count): .collapse(offset: offset, count: count)
      case .collapse(let offset, let count): .insert(offset: offset, count: count)
      }
    return LayoutEdit(oldSize: newSize, cutTo: resizedSize, resize: undoing, writes: saved)
  }

  /// Where the bytes that a write to `range` of the new file destroys were in the old one.
  private func oldRanges(_ range: Range<Int>) -> [Range<Int>] {
    let pieces: [Range<Int>]
    switch resize {
    case nil: pieces = [range]
    case .insert(let offset, let count):
      pieces = [
        range.clamped(to: 0..<offset),
        range.clamped(to: (offset + count)..<max(offset + count, range.upperBound))
          .shifted(by: -count),
      ]
    case .collapse(let offset, let count):
      pieces = [
        range.clamped(to: 0..<offset),
        range.clamped(to: offset..<max(offset, range.upperBound)).shifted(by: count),
      ]
    }
    return pieces.map { $0.clamped(to: 0..<cutTo) }.filter { !$0.isEmpty }
  }

  private static func merged(_ ranges: [Range<Int>]) -> [Range<Int>] {
    var result: [Range<Int>] = []
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if let last = result.last, range.lowerBound <= last.upperBound {
        result[result.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
      } else {
        result.append(range)
      }
    }
    return result
  }
}

extension Range<Int> {
  fileprivate func shifted(by distance: Int) -> Range<Int> {
    isEmpty ? self : lowerBound + distance..<upperBound + distance
  }
}

extension LayoutEdit {
  /// The first `count` bytes of the new file, without making it.
  func preview(_ count: Int, of old: RawSpan) -> [UInt8] {
    let wanted = min(count, newSize)
    var result: [UInt8]
    switch resize {
    case nil: result = old.copy(0..<min(wanted, cutTo))
    case .insert(let offset, let inserted):
      result = old.copy(0..<min(wanted, offset))
      result += Array(repeating: 0, count: min(inserted, wanted - result.count))
      result += old.copy(offset..<min(cutTo, offset + wanted - result.count))
    case .collapse(let offset, let removed):
      result = old.copy(0..<min(wanted, offset))
      let start = offset + removed
      result += old.copy(start..<min(cutTo, start + wanted - result.count))
    }
    result += Array(repeating: 0, count: wanted - result.count)
    for write in writes where write.offset < wanted {
      let end = min(write.end, wanted)
      result.replaceSubrange(
        write.offset..<end, with: write.bytes.bytes[..<(end - write.offset)])
    }
    return result
  }

  /// Whether the edit is possible on a file of `size` bytes: what must be asked of one that was read from a file.
  func isPlausible(forFileOf size: Int) -> Bool {
    let limit = 1 << 30
    guard oldSize == size, (0...oldSize) ~= cutTo else { return false }
    switch resize {
    case nil: break
    case .insert(let offset, let count):
      guard (0...cutTo) ~= offset, (1...limit) ~= count else { return false }
    case .collapse(let offset, let count):
      guard (0...cutTo) ~= offset, count > 0, count <= cutTo - offset else { return false }
    }
    return writes.allSatisfy {
      $0.offset >= 0 && $0.offset <= resizedSize && $0.bytes.count <= limit
    }
  }
}

// MARK: Performing

extension LayoutEdit {
  /// Changes the open file in place. The caller holds a journal.
  /// - Throws: `FileError`; one that says "unsupported" is thrown before anything has changed.
  func perform(on file: borrowing Descriptor) throws(FileError) {
    if cutTo < oldSize { try file.truncate(to: cutTo) }
    try resize?.perform(on: file)
    for write in writes { try file.write(write.bytes.bytes, at: write.offset) }
    try file.sync()
  }

  /// Writes the edited file as a new one, sharing blocks with the old one where the file system can.
  func perform(from old: borrowing Descriptor, to new: borrowing Descriptor) throws(FileError) {
    switch resize {
    case nil:
      try new.copy(from: old, at: 0, count: cutTo, to: 0)
    case .insert(let offset, let count):
      try new.copy(from: old, at: 0, count: offset, to: 0)
      try new.copy(from: old, at: offset, count: cutTo - offset, to: offset + count)
    case .collapse(let offset, let count):
      try new.copy(from: old, at: 0, count: offset, to: 0)
      try new.copy(
        from: old, at: offset + count, count: cutTo - offset - count, to: offset)
    }
    for write in writes { try new.write(write.bytes.bytes, at: write.offset) }
  }

  /// Brings a file on which this edit was begun, and perhaps finished, back to what it was.
  ///
  /// How far it came is told by the size alone: the cut and the resize each change it, and later steps cannot bring it
  /// back. Doing this again after an interruption of itself is safe.
  /// - Parameter inverse: what `inverse` gave before the edit began.
  func rollBack(_ file: borrowing Descriptor, by inverse: LayoutEdit) throws(FileError) {
    let size = try file.status().size
    if let undoing = inverse.resize {
      let wasResized =
        if case .insert(_, let count) = resize { size >= cutTo + count } else { size <= resizedSize }
      if wasResized {
        try file.truncate(to: resizedSize)
        try undoing.perform(on: file)
      }
    }
    try file.truncate(to: oldSize)
    for write in inverse.writes { try file.write(write.bytes.bytes, at: write.offset) }
    try file.sync()
  }
}

extension LayoutEdit.Resize {
  fileprivate func perform(on file: borrowing Descriptor) throws(FileError) {
    switch self {
    case .insert(let offset, let count): try file.insertRange(at: offset, count: count)
    case .collapse(let offset, let count): try file.collapseRange(at: offset, count: count)
    }
  }
}
