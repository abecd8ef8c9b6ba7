/// A growing buffer to which numbers are written in little-endian order.
public struct ByteWriter: Sendable {
  public private(set) var bytes: [UInt8] = []

  public init() {}

  public var count: Int { bytes.count }

  public mutating func write<T: FixedWidthInteger>(_ value: T) {
    var rest = T.Magnitude(truncatingIfNeeded: value)
    for _ in 0..<MemoryLayout<T>.size {
      bytes.append(UInt8(truncatingIfNeeded: rest))
      rest = MemoryLayout<T>.size > 1 ? rest >> 8 : 0
    }
  }

  public mutating func write(_ value: Float) { write(value.bitPattern) }
  public mutating func write(_ value: Double) { write(value.bitPattern) }
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
