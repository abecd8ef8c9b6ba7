/// The least, the greatest and the mean value of a tensor of F32, F16 or BF16 numbers.
public struct TensorStatistics: Equatable, Sendable {
  /// The least finite value.
  public var minimum: Double
  /// The greatest finite value.
  public var maximum: Double
  /// The mean of the finite values.
  public var mean: Double
  /// The number of NaN and infinite values, which the other statistics leave out.
  public var nonFiniteCount: Int

  /// Computes the statistics of the numbers at `range` in the file.
  ///
  /// Nil for types other than F32, F16 and BF16, and for tensors without a finite number.
  public init?(type: ElementType, _ range: Range<Int>, of file: borrowing MappedFile) {
    var sums = Sums()
    switch type {
    case .f32:
      file.visit(range) {
        sums.add($0, of: file.bytes, 4) { Float(bitPattern: $0.load(UInt32.self, at: $1)) }
      }
    case .bf16:
      file.visit(range) {
        sums.add($0, of: file.bytes, 2) {
          Float(bitPattern: UInt32($0.load(UInt16.self, at: $1)) << 16)
        }
      }
    case .f16:
      file.visit(range) {
        sums.add($0, of: file.bytes, 2) { Self.float(halfPrecision: $0.load(UInt16.self, at: $1)) }
      }
    default: return nil
    }
    guard sums.count > 0 else { return nil }
    minimum = Double(sums.least)
    maximum = Double(sums.most)
    mean = sums.sum / Double(sums.count)
    nonFiniteCount = sums.others
  }

  private struct Sums {
    var least = Float.infinity
    var most = -Float.infinity
    var sum = 0.0
    var count = 0
    var others = 0

    /// Inlined together with its decoder, because it runs over whole models.
    @inline(__always)
    mutating func add(
      _ range: Range<Int>, of bytes: RawSpan, _ width: Int, _ decode: (RawSpan, Int) -> Float
    ) -> Bool {
      for offset in stride(from: range.lowerBound, to: range.upperBound, by: width) {
        let value = decode(bytes, offset)
        guard value.isFinite else {
          others += 1
          continue
        }
        least = min(least, value)
        most = max(most, value)
        sum += Double(value)
        count += 1
      }
      return true
    }
  }

  /// Decodes IEEE half precision without Float16, which Swift lacks on some platforms.
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

  /// An object with the members `minimum`, `maximum`, `mean` and `non_finite`.
  public var json: JSONValue {
    .object([
      "minimum": .number(minimum), "maximum": .number(maximum), "mean": .number(mean),
      "non_finite": .number(nonFiniteCount),
    ])
  }
}
