/// Unsigned integers of 1 to 8 bits that fill 32-bit words without gaps.
///
/// compressed-tensors, GPTQ and AWQ pack matrices this way; they differ in the dimension along
/// which the words run. Here that dimension is the `index` within a `line`.
package struct PackedIntegers: Sendable {
  /// The order of the numbers in a word.
  package enum Order: Sendable {
    /// From the lowest bits up.
    case ascending
    /// AWQ's, for 4 bits: the numbers 0, 2, 4, 6, 1, 3, 5, 7 from the lowest bits up.
    case evenFirst
  }

  let stored: StoredBytes
  let bits: Int
  let order: Order
  /// The distance in words between consecutive words of a line.
  private let wordStride: Int
  /// The distance in words between the first words of consecutive lines.
  private let lineStride: Int

  /// The number of words that `count` numbers fill.
  package static func words(_ count: Int, bits: Int) -> Int { (count * bits + 31) / 32 }

  /// Lines that are stored one after another.
  /// - Parameter length: numbers in a line.
  package init(rows stored: StoredBytes, bits: Int, length: Int, order: Order = .ascending) {
    precondition((1...8).contains(bits) && (order == .ascending || bits == 4))
    self.stored = stored
    self.bits = bits
    self.order = order
    wordStride = 1
    lineStride = Self.words(length, bits: bits)
  }

  /// Lines whose first words are stored one after another, then all second words.
  package init(columns stored: StoredBytes, bits: Int, lines: Int) {
    precondition((1...8).contains(bits))
    self.stored = stored
    self.bits = bits
    order = .ascending
    wordStride = lines
    lineStride = 1
  }

  /// The number at `index` of `line`.
  ///
  /// `base` is the address of the stored bytes.
  @inline(__always)
  func value(_ base: UnsafeRawPointer, line: Int, index: Int) -> UInt32 {
    let bit = order == .ascending ? index * bits : index & ~7 * 4 + Self.evenFirst(index & 7)
    let word = line * lineStride + bit >> 5 * wordStride
    let shift = UInt32(bit & 31)
    var value = unsafe base.loadUnaligned(fromByteOffset: 4 * word, as: UInt32.self) >> shift
    if Int(shift) + bits > 32 {
      let next = unsafe base.loadUnaligned(
        fromByteOffset: 4 * (word + wordStride), as: UInt32.self)
      value |= next << (32 - shift)
    }
    return value & (1 << UInt32(bits) - 1)
  }

  /// Whether one of the numbers in `lines` lines of `length` numbers is `number`.
  package func contains(_ number: UInt32, lines: Int, length: Int) -> Bool {
    unsafe stored.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress else { return false }
      return (0..<lines).contains { line in
        (0..<length).contains { unsafe value(base, line: line, index: $0) == number }
      }
    }
  }

  /// The first bit of one of the eight numbers in AWQ's words.
  @inline(__always)
  private static func evenFirst(_ index: Int) -> Int { (index & 1) * 16 + index / 2 * 4 }
}
