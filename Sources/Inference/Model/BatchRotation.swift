import Numerics

/// The cosines and sines by which one layer rotates the rows of a batch.
struct BatchRotation {
  /// By the positions of the tokens.
  let own: RotaryCache
  /// By the positions of Self-Extend's groups, for keys and for queries; nil if no sequence of the
  /// batch has them.
  let grouped: (keys: RotaryCache, queries: RotaryCache)?

  init(own: RotaryCache, grouped: (keys: RotaryCache, queries: RotaryCache)? = nil) {
    self.own = own
    self.grouped = grouped
  }
}
