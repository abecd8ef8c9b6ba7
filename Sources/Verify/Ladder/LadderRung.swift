public import Numerics

/// One model with one type of its cache.
public struct LadderRung: Hashable, Sendable {
  /// The path of the model.
  public var model: String
  /// The types in which it keeps keys and values.
  public var cache: CacheTypes

  /// The names of the types, as in `q8_0`, or `q8_0/q4_0` for keys and values.
  package var cacheName: String { cache.description }
  /// The names of the types of keys and of values.
  package var cacheNames: [String] { [cache.keys.rawValue, cache.values.rawValue] }

  /// Creates a rung.
  public init(model: String, cache: CacheTypes) {
    self.model = model
    self.cache = cache
  }
}
