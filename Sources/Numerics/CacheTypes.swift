package import Formats

/// A type in which keys and values are kept for the tokens that follow, by llama.cpp's name for it.
public enum CacheType: String, CaseIterable, Sendable {
  /// As they were computed.
  case f32
  case f16, bf16
  case q80 = "q8_0"
  case q51 = "q5_1"
  case q50 = "q5_0"
  case q41 = "q4_1"
  case q40 = "q4_0"

  package var elementType: ElementType {
    switch self {
    case .f32: .f32
    case .f16: .f16
    case .bf16: .bf16
    case .q80: .q80
    case .q51: .q51
    case .q50: .q50
    case .q41: .q41
    case .q40: .q40
    }
  }

  /// The numbers that are stored as a whole, which must divide a head.
  package var blockElements: Int { elementType.block?.elements ?? 1 }
}

/// The types of a cache of keys and values.
public struct CacheTypes: Hashable, Sendable, CustomStringConvertible {
  /// The type of the keys.
  public var keys: CacheType
  /// The type of the values.
  public var values: CacheType

  /// Creates the types of a cache.
  public init(keys: CacheType = .f32, values: CacheType = .f32) {
    self.keys = keys
    self.values = values
  }

  /// Reads `q8_0`, or `q8_0/q4_0` for keys and values of different types.
  ///
  /// Returns nil for other text.
  public init?(_ text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    let types = parts.compactMap { CacheType(rawValue: String($0)) }
    guard types.count == parts.count, types.count <= 2, let keys = types.first else { return nil }
    self.init(keys: keys, values: types[types.count - 1])
  }

  /// The form that `init(_:)` reads.
  public var description: String {
    keys == values ? keys.rawValue : "\(keys.rawValue)/\(values.rawValue)"
  }

  /// Whether neither keys nor values are quantised.
  package var isUnquantised: Bool { max(keys.blockElements, values.blockElements) == 1 }
}
