/// A growing buffer to which numbers are written in little-endian order.
public struct ByteWriter: Sendable {
  /// The bytes that have been written.
  public private(set) var bytes: [UInt8] = []

  /// An empty buffer.
  public init() {}

  /// The number of bytes that have been written.
  public var count: Int { bytes.count }

  /// Writes an integer in its full width.
  public mutating func write<T: FixedWidthInteger>(_ value: T) {
    var rest = T.Magnitude(truncatingIfNeeded: value)
    for _ in 0..<MemoryLayout<T>.size {
      bytes.append(UInt8(truncatingIfNeeded: rest))
      rest = MemoryLayout<T>.size > 1 ? rest >> 8 : 0
    }
  }

  /// Writes the 4 bytes of an IEEE single-precision number.
  public mutating func write(_ value: Float) { write(value.bitPattern) }
  /// Writes the 8 bytes of an IEEE double-precision number.
  public mutating func write(_ value: Double) { write(value.bitPattern) }
  /// Writes bytes unchanged, without a length.
  public mutating func write(raw: some Sequence<UInt8>) { bytes.append(contentsOf: raw) }

  /// Writes zeros up to the next multiple of `alignment`.
  public mutating func pad(to alignment: Int) {
    let excess = bytes.count % alignment
    if excess > 0 { bytes.append(contentsOf: repeatElement(0, count: alignment - excess)) }
  }
}

extension BinaryInteger {
  /// The smallest multiple of `unit` that is not below this number.
  package func roundedUp(to unit: Self) -> Self { (self + unit - 1) / unit * unit }
  /// The largest multiple of `unit` that is not above this number.
  package func roundedDown(to unit: Self) -> Self { self / unit * unit }
}
