extension PythonRandom {
  /// `uuid.UUID(int=getrandbits(128), version=4)` as text.
  package mutating func uuid() -> String {
    var words = Array(wideBits().reversed())
    words[1] = words[1] & 0xFFFF_0FFF | 0x4000
    words[2] = words[2] & 0x3FFF_FFFF | 0x8000_0000
    let digits = words.map(Self.hexadecimal).joined()
    var groups: [Substring] = []
    var rest = digits[...]
    for count in [8, 4, 4, 4, 12] {
      groups.append(rest.prefix(count))
      rest = rest.dropFirst(count)
    }
    return groups.joined(separator: "-")
  }

  private static func hexadecimal(_ word: UInt32) -> String {
    let digits = String(word, radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + digits
  }
}
