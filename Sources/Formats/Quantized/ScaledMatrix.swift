/// A matrix stored as small numbers with scales beside them: (rows, columns).
///
/// Each element is (code - zero point) * scale, rounded to `type` as the libraries round it that
/// write these formats. Rows are unpacked when they are needed.
package struct ScaledMatrix: Sendable {
  /// The stored numbers.
  package enum Codes: Sendable {
    /// One byte each: (rows, columns), with the number that each byte stands for.
    case bytes(StoredBytes, [Float])
    /// A line for each row.
    case packedRows(PackedIntegers)
    /// A line for each column.
    case packedColumns(PackedIntegers)
  }

  /// The zero points, one for each scale.
  package enum Zeros: Sendable {
    /// The same for all.
    case constant(Float)
    /// Signed bytes, in the layout of the scales.
    case bytes(StoredBytes)
    /// A line for each group of columns, with `offset` added.
    case packed(PackedIntegers, offset: Float)
  }

  /// The scales and the part of the matrix to which each belongs.
  package struct Scales: Sendable {
    let stored: StoredBytes
    let type: ElementType
    /// The rows that share a scale.
    let blockRows: Int
    /// The distances in elements between the scales of consecutive blocks of rows and of
    /// consecutive groups of columns.
    let rowStride, groupStride: Int
    /// The number of groups of columns.
    package let groups: Int

    /// The scale types that are known: E8M0 is a power of two, in a byte of either type.
    package static let types: [ElementType] = [
      .f32, .f16, .bf16, .u8, ElementType(safetensors: "F8_E8M0"),
    ]

    /// - Parameter isTransposed: whether the scales are stored as (groups, blocks of rows).
    package init(
      _ stored: StoredBytes, _ type: ElementType, blockRows: Int, blocks: Int, groups: Int,
      isTransposed: Bool = false
    ) {
      self.stored = stored
      self.type = type
      self.blockRows = blockRows
      self.groups = groups
      rowStride = isTransposed ? 1 : groups
      groupStride = isTransposed ? blocks : 1
    }

    /// The place of a scale among the stored ones.
    @inline(__always)
    func place(row: Int, group: Int) -> Int { row / blockRows * rowStride + group * groupStride }

    @inline(__always)
    func value(_ base: UnsafeRawPointer, _ place: Int) -> Float {
      switch type {
      case .f32: unsafe base.loadUnaligned(fromByteOffset: 4 * place, as: Float.self)
      case .f16:
        Float(unsafe base.loadUnaligned(fromByteOffset: 2 * place, as: Float16.self))
      case .bf16:
        Float(
          bitPattern: UInt32(
            unsafe base.loadUnaligned(fromByteOffset: 2 * place, as: UInt16.self)) << 16)
      default:
        Float(
          sign: .plus,
          exponent: Int(unsafe base.load(fromByteOffset: place, as: UInt8.self)) - 127,
          significand: 1)
      }
    }
  }

  /// Which columns share a scale.
  package enum Groups: Sendable {
    /// Consecutive ones, this many.
    case consecutive(Int)
    /// The group of each column.
    case listed([Int32])
  }

  let codes: Codes
  let scales: Scales?
  let zeros: Zeros
  let groups: Groups
  /// The type to which the elements are rounded: F32, F16 or BF16.
  package let type: ElementType
  package private(set) var rows: Int
  package let columns: Int
  private var firstRow = 0

  package init(
    _ codes: Codes, scales: Scales?, zeros: Zeros, groups: Groups, type: ElementType, rows: Int,
    columns: Int
  ) {
    self.codes = codes
    self.scales = scales
    self.zeros = zeros
    self.groups = groups
    self.type = type
    self.rows = rows
    self.columns = columns
  }

  /// Some of the rows.
  package func part(_ range: Range<Int>) -> ScaledMatrix {
    precondition(range.upperBound <= rows)
    var part = self
    part.firstRow += range.lowerBound
    part.rows = range.count
    return part
  }

  /// Unpacks elements in the order of the rows, wherever the range begins and ends.
  package func unpack(elements: Range<Int>, to destination: UnsafeMutablePointer<Float>) {
    let rows = elements.lowerBound / columns..<(elements.upperBound + columns - 1) / columns
    if rows.count * columns == elements.count {
      unsafe unpack(rows, to: destination)
      return
    }
    let whole = unsafe [Float](unsafeUninitializedCapacity: rows.count * columns) { buffer, count in
      if let base = buffer.baseAddress { unsafe unpack(rows, to: base) }
      count = rows.count * columns
    }
    let start = elements.lowerBound - rows.lowerBound * columns
    for index in 0..<elements.count { unsafe destination[index] = whole[start + index] }
  }

  /// Unpacks whole rows.
  package func unpack(_ range: Range<Int>, to destination: UnsafeMutablePointer<Float>) {
    precondition(range.lowerBound >= 0 && range.upperBound <= rows)
    let own = range.lowerBound + firstRow..<range.upperBound + firstRow
    unsafe unpackCodes(own, to: destination)
    guard let scales else { return }
    var (scale, zero) = (
      [Float](repeating: 1, count: scales.groups), [Float](repeating: 0, count: scales.groups)
    )
    for (number, row) in own.enumerated() {
      readScales(scales, row, &scale, &zero)
      unsafe apply(scale, zero, to: destination + number * columns)
    }
  }

  private func unpackCodes(_ rows: Range<Int>, to destination: UnsafeMutablePointer<Float>) {
    switch codes {
    case .bytes(let stored, let values):
      unsafe stored.withUnsafeBytes { bytes in
        let first = rows.lowerBound * columns
        for index in 0..<rows.count * columns {
          unsafe destination[index] = values[Int(bytes[first + index])]
        }
      }
    case .packedRows(let packed):
      unsafe packed.stored.withUnsafeBytes { bytes in
        guard let base = bytes.baseAddress else { return }
        for (number, row) in rows.enumerated() {
          let to = unsafe destination + number * columns
          for column in 0..<columns {
            unsafe to[column] = Float(packed.value(base, line: row, index: column))
          }
        }
      }
    case .packedColumns(let packed):
      unsafe packed.stored.withUnsafeBytes { bytes in
        guard let base = bytes.baseAddress else { return }
        for column in 0..<columns {
          for (number, row) in rows.enumerated() {
            unsafe destination[number * columns + column] = Float(
              packed.value(base, line: column, index: row))
          }
        }
      }
    }
  }

  /// Reads the scales and the zero points of one row, by group.
  private func readScales(
    _ scales: Scales, _ row: Int, _ scale: inout [Float], _ zero: inout [Float]
  ) {
    unsafe scales.stored.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress else { return }
      for group in scale.indices {
        scale[group] = unsafe scales.value(base, scales.place(row: row, group: group))
      }
    }
    switch zeros {
    case .constant(let value):
      for group in zero.indices { zero[group] = value }
    case .bytes(let stored):
      unsafe stored.withUnsafeBytes { bytes in
        for group in zero.indices {
          zero[group] = Float(
            Int8(bitPattern: unsafe bytes[scales.place(row: row, group: group)]))
        }
      }
    case .packed(let packed, let offset):
      unsafe packed.stored.withUnsafeBytes { bytes in
        guard let base = bytes.baseAddress else { return }
        for group in zero.indices {
          zero[group] = unsafe Float(packed.value(base, line: group, index: row)) + offset
        }
      }
    }
  }

  private func apply(
    _ scale: [Float], _ zero: [Float], to row: UnsafeMutablePointer<Float>
  ) {
    switch groups {
    case .consecutive(let size):
      for group in scale.indices {
        let (factor, shift) = (scale[group], zero[group])
        for column in group * size..<min(columns, (group + 1) * size) {
          unsafe row[column] = (row[column] - shift) * factor
        }
      }
    case .listed(let groups):
      for column in 0..<columns {
        let group = Int(groups[column])
        unsafe row[column] = (row[column] - zero[group]) * scale[group]
      }
    }
    switch type {
    case .bf16: for column in 0..<columns { unsafe row[column] = row[column].roundedToBF16 }
    case .f16: for column in 0..<columns { unsafe row[column] = row[column].roundedToF16 }
    default: break
    }
  }
}

extension Float {
  /// The nearest bfloat16, the even one of two.
  @inline(__always)
  fileprivate var roundedToBF16: Float {
    guard !isNaN else { return self }
    let bits = bitPattern
    return Float(bitPattern: (bits &+ 0x7FFF &+ (bits >> 16 & 1)) & 0xFFFF_0000)
  }

  /// The nearest half-precision number, the even one of two.
  @inline(__always)
  fileprivate var roundedToF16: Float {
    // A conversion is a function call on many processors. Rounding the last 13 bits away is the
    // same for numbers that are normal in both types.
    guard magnitude >= 0x1p-14, magnitude < 65504 else { return Float(Float16(self)) }
    let bits = bitPattern
    return Float(bitPattern: (bits &+ 0xFFF &+ (bits >> 13 & 1)) & 0xFFFF_E000)
  }
}

extension ScaledMatrix.Codes {
  /// The numbers that a byte stands for, or nil for a type that is not a number in a byte.
  package static func table(_ type: ElementType) -> [Float]? {
    let bytes = (0...UInt8.max)
    switch type.name {
    case "I8": return bytes.map { Float(Int8(bitPattern: $0)) }
    case "F8_E5M2": return bytes.map { Float(Float16(bitPattern: UInt16($0) << 8)) }
    case "F8_E4M3": return bytes.map(e4m3)
    default: return nil
    }
  }

  /// A number with 4 bits of exponent and 3 of mantissa, without infinities.
  private static func e4m3(_ byte: UInt8) -> Float {
    let (exponent, mantissa) = (Int(byte >> 3 & 15), Float(byte & 7))
    if byte & 0x7F == 0x7F { return .nan }
    let magnitude =
      exponent == 0
      ? mantissa * 0x1p-9
      : Float(sign: .plus, exponent: exponent - 7, significand: 1 + mantissa / 8)
    return byte & 0x80 == 0 ? magnitude : -magnitude
  }
}
