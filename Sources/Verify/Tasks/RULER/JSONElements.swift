/// The places of the elements of a JSON list, found without parsing them.
struct JSONElements: Sequence {
  private let ranges: [Range<Int>]

  /// - Returns: nil for bytes that are not one list.
  init?(_ bytes: [UInt8]) {
    var (depth, isInText, isEscaped, start) = (0, false, false, 0)
    var ranges: [Range<Int>] = []
    for (place, byte) in bytes.enumerated() {
      if isInText {
        if byte == UInt8(ascii: "\""), !isEscaped { isInText = false }
        isEscaped = byte == UInt8(ascii: "\\") && !isEscaped
        continue
      }
      switch byte {
      case UInt8(ascii: "\""): isInText = true
      case UInt8(ascii: "["), UInt8(ascii: "{"):
        depth += 1
        if depth == 1 {
          guard byte == UInt8(ascii: "["), ranges.isEmpty else { return nil }
          start = place + 1
        }
      case UInt8(ascii: ","):
        guard depth == 1 else { continue }
        ranges.append(start..<place)
        start = place + 1
      case UInt8(ascii: "]"), UInt8(ascii: "}"):
        depth -= 1
        if depth == 0 { ranges.append(start..<place) }
      default: continue
      }
    }
    guard depth == 0, !ranges.isEmpty else { return nil }
    self.ranges = ranges
  }

  func makeIterator() -> IndexingIterator<[Range<Int>]> { ranges.makeIterator() }
}
