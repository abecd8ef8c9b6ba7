import Formats

/// A part of a file without blocks, in bytes.
struct Hole: Equatable, Hashable, Sendable, Codable {
  var start: Int
  var end: Int

  init(_ start: Int, _ end: Int) {
    self.start = start
    self.end = end
  }

  /// More holes than this are not recorded; such a file is copied instead of edited in place.
  static let limit = 4096

  /// The holes of a range of an open file.
  /// - Throws: `FileError`, as of an unsupported operation if there are too many.
  static func all(in range: Range<Int>, of file: borrowing Descriptor) throws(FileError) -> [Hole] {
    guard let ranges = try file.holes(in: range, limit: limit) else {
      throw FileError.unsupported("record the holes of", file.path)
    }
    return ranges.map { Hole($0.lowerBound, $0.upperBound) }
  }

  /// Whether holes from a journal are in order and in a file of `size` bytes.
  static func arePlausible(_ holes: [Hole], below size: Int) -> Bool {
    var end = 0
    for hole in holes {
      guard hole.start >= end, hole.end > hole.start, hole.end <= size else { return false }
      end = hole.end
    }
    return true
  }

  func shifted(by distance: Int) -> Hole { Hole(start + distance, end + distance) }

  /// The part in `range`, or nil if there is none.
  func clamped(to range: Range<Int>) -> Hole? {
    let part = Hole(max(start, range.lowerBound), min(end, range.upperBound))
    return part.start < part.end ? part : nil
  }

  /// Joins holes that touch each other.
  static func joined(_ holes: [Hole]) -> [Hole] {
    var result: [Hole] = []
    for hole in holes.sorted(by: { $0.start < $1.start }) {
      if let last = result.last, hole.start <= last.end {
        result[result.count - 1].end = max(last.end, hole.end)
      } else {
        result.append(hole)
      }
    }
    return result
  }
}
