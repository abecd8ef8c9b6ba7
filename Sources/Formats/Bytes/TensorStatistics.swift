/// The least, the greatest and the mean of a tensor of plain floating-point numbers.
public struct TensorStatistics: Equatable, Sendable {
  public var minimum: Double
  public var maximum: Double
  public var mean: Double
  /// NaN and infinities, which the other numbers leave out.
  public var nonFiniteCount: Int

  /// nil for types that are not F32, F16 or BF16, and for empty tensors.
  public init?(type: String, _ range: Range<Int>, of file: borrowing MappedFile) {
    guard let decode = Self.decoder(type), !range.isEmpty else { return nil }
    let width = type == "F32" ? 4 : 2
    var least = Float.infinity
    var most = -Float.infinity
    var sum = 0.0
    var count = 0
    file.visit(range) { piece in
      for offset in stride(from: piece.lowerBound, to: piece.upperBound, by: width) {
        let value = decode(file.bytes, offset)
        guard value.isFinite else { continue }
        least = min(least, value)
        most = max(most, value)
        sum += Double(value)
        count += 1
      }
      return true
    }
    nonFiniteCount = range.count / width - count
    guard count > 0 else { return nil }
    minimum = Double(least)
    maximum = Double(most)
    mean = sum / Double(count)
  }

  private static func decoder(_ type: String) -> ((RawSpan, Int) -> Float)? {
    switch type {
    case "F32": { Float(bitPattern: $0.load(UInt32.self, at: $1)) }
    case "BF16": { Float(bitPattern: UInt32($0.load(UInt16.self, at: $1)) << 16) }
    case "F16": { float(halfPrecision: $0.load(UInt16.self, at: $1)) }
    default: nil
    }
  }

  /// IEEE half precision, without Float16, which Swift lacks on some platforms.
  private static func float(halfPrecision bits: UInt16) -> Float {
    let sign = UInt32(bits & 0x8000) << 16
    let exponent = UInt32(bits >> 10 & 0x1F)
    let fraction = UInt32(bits & 0x3FF)
    switch exponent {
    case 0: return Float(bitPattern: sign) + (sign == 0 ? 1 : -1) * Float(fraction) * 0x1p-24
    case 31: return Float(bitPattern: sign | 0x7F80_0000 | fraction << 13)
    default: return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
    }
  }

  public var json: JSONValue {
    .object([
      "minimum": .number(minimum), "maximum": .number(maximum), "mean": .number(mean),
      "non_finite": .number(nonFiniteCount),
    ])
  }
}
