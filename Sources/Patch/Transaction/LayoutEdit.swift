import Formats

/// A change to one large file that keeps most of its bytes, possibly shifted as one piece.
///
/// The steps are, in this order: truncate the file to `cutTo` bytes, insert or collapse a range,
/// and overwrite bytes. The inverse is a `LayoutEdit` too, so applying, undoing, and recovering
/// after a crash share their code.
package struct LayoutEdit: Equatable, Sendable, Codable {
  enum Resize: Equatable, Sendable, Codable {
    /// Moves everything from `offset` on up by `count` bytes.
    case insert(offset: Int, count: Int)
    /// Removes `count` bytes at `offset`.
    case collapse(offset: Int, count: Int)
  }

  /// Bytes at an offset of the new file.
  ///
  /// Writes do not overlap.
  struct Write: Equatable, Sendable, Codable {
    var offset: Int
    var bytes: Base64Bytes

    init(_ offset: Int, _ bytes: [UInt8]) {
      self.offset = offset
      self.bytes = Base64Bytes(bytes)
    }

    var end: Int { offset + bytes.count }
  }

  /// The size of the file before the edit.
  var oldSize: Int
  /// The number of bytes that are kept; `oldSize` if the file is not truncated.
  var cutTo: Int
  var resize: Resize?
  var writes: [Write]

  /// The size of the file once it is truncated and resized.
  var resizedSize: Int {
    switch resize {
    case nil: cutTo
    case .insert(_, let count): cutTo + count
    case .collapse(_, let count): cutTo - count
    }
  }

  /// The size of the file after the edit.
  var newSize: Int { max(resizedSize, writes.map(\.end).max() ?? 0) }

  /// The edit that undoes this one.
  /// - Parameter read: reads a range of the old file.
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

  /// The ranges of the old file that are lost by a write to `range` of the new file.
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
  /// The first `count` bytes of the new file, computed from the old one.
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

  /// Whether the edit can be performed on a file of `size` bytes.
  ///
  /// An edit that was read from a file must be checked.
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

extension LayoutEdit {
  /// Makes the edit leave `bytes` at `range` of the new file, whatever it left there before.
  mutating func overwrite(_ range: Range<Int>, with bytes: [UInt8]) {
    for index in writes.indices {
      let write = writes[index]
      let shared = range.clamped(to: write.offset..<write.end)
      guard !shared.isEmpty else { continue }
      var merged = write.bytes.bytes
      merged.replaceSubrange(
        (shared.lowerBound - write.offset)..<(shared.upperBound - write.offset),
        with: bytes[(shared.lowerBound - range.lowerBound)..<(shared.upperBound - range.lowerBound)]
      )
      writes[index] = Write(write.offset, merged)
    }
  }
}

// MARK: Performing

extension LayoutEdit {
  /// Changes the open file in place.
  ///
  /// The caller must have written a journal.
  /// - Throws: `FileError`. If the file system does not support the resize, nothing has changed.
  func perform(on file: borrowing Descriptor) throws(FileError) {
    if cutTo < oldSize { try file.truncate(to: cutTo) }
    try resize?.perform(on: file)
    for write in writes { try file.write(write.bytes.bytes, at: write.offset) }
    try file.sync()
  }

  /// Writes the edited file as a new file, which shares blocks with the old one if the file system
  /// supports it.
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
}

extension LayoutEdit.Resize {
  fileprivate func perform(on file: borrowing Descriptor) throws(FileError) {
    switch self {
    case .insert(let offset, let count): try file.insertRange(at: offset, count: count)
    case .collapse(let offset, let count): try file.collapseRange(at: offset, count: count)
    }
  }
}
