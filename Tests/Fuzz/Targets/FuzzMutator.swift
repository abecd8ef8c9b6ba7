import Formats
import TestSupport

/// Changes inputs, with the structure of their format in view.
///
/// A mutation that keeps counts, lengths and offsets consistent gets past the first checks of a
/// reader. One field is then broken, or none.
package struct FuzzMutator {
  /// Changes bytes without regard to their meaning, to at most a number of bytes.
  package typealias Plain = ([UInt8], Int) -> [UInt8]

  /// Parts of JSON texts that were seen.
  private var parts = JSONParts()

  package init() {}

  /// As below, with random bytes in place of libFuzzer's choice.
  package mutating func mutated(
    _ bytes: [UInt8], for target: FuzzTarget, limit: Int, seed: UInt64
  ) -> [UInt8] {
    var random = Seeded(seed ^ .max)
    return mutated(bytes, for: target, limit: limit, seed: seed) { bytes, limit in
      Self.changed(bytes, limit, &random)
    }
  }

  /// Changes, removes or repeats a few bytes.
  private static func changed(_ old: [UInt8], _ limit: Int, _ random: inout Seeded) -> [UInt8] {
    guard !old.isEmpty else { return [UInt8(truncatingIfNeeded: random.next())] }
    var bytes = old
    let start = random.below(bytes.count)
    let part = start..<min(bytes.count, start + 1 + random.below(32))
    switch random.below(6) {
    case 0: bytes.removeSubrange(part)
    case 1: bytes.insert(contentsOf: bytes[part], at: random.below(bytes.count))
    case 2: bytes.removeSubrange(start...)
    default:
      for _ in 0...random.below(4) {
        bytes[random.below(bytes.count)] = UInt8(truncatingIfNeeded: random.next())
      }
    }
    return Array(bytes.prefix(limit))
  }

  /// A changed input of at most `limit` bytes.
  package mutating func mutated(
    _ bytes: [UInt8], for target: FuzzTarget, limit: Int, seed: UInt64, plain: Plain
  ) -> [UInt8] {
    var random = Seeded(seed)
    let isPlain = random.next() % 4 == 0
    var result: [UInt8]?
    if !isPlain {
      switch target {
      case .gguf, .ggufModel:
        result = LooseGGUF(bytes).map { $0.mutated(&random, plain) }
      case .safetensors:
        result = LooseSafetensors(bytes).map { $0.mutated(&parts, &random, plain) }
      case .index, .json, .factors, .config, .tokenizer, .undo, .journal, .result, .checkpoint,
        .chat:
        result = parts.mutated(bytes, &random, plain)
      case .card: break
      }
    }
    guard let result, result.count <= limit, !result.isEmpty else { return plain(bytes, limit) }
    return result
  }
}

extension RandomNumberGenerator {
  /// A number from 0 to below `count`.
  mutating func below(_ count: Int) -> Int { Int(next() % UInt64(max(1, count))) }

  mutating func chance(_ one: Int) -> Bool { below(one) == 0 }
}

/// Numbers at which readers go wrong.
enum Edges {
  static let integers: [UInt64] = [
    0, 1, 2, 3, 4, 7, 8, 31, 32, 63, 64, 127, 128, 255, 256, 4095, 4096, 65_535, 65_536,
    1 << 20, 1 << 30, 1 << 31, 1 << 32, (1 << 31) - 1, (1 << 32) - 1, 1 << 40, 1 << 48, 1 << 61,
    1 << 62, (1 << 63) - 1, 1 << 63, .max - 31, .max - 7, .max - 1, .max, .max / 3, .max / 24,
  ]

  static let numbers = [
    "0", "-0", "1", "-1", "2", "0.5", "1e308", "1e309", "-1e309", "1e-320", "NaN", "Infinity",
    "-Infinity", "255", "256", "65536", "2147483647", "2147483648", "4294967296", "1099511627776",
    "9007199254740993", "9223372036854775807", "9223372036854775808", "18446744073709551615",
    "18446744073709551616", "4096.0", "1E3", "1.0000000000000001",
  ]
}
