/// Self-Extend: keys nearer than a window keep their distances, and farther ones are rotated by the
/// positions of groups of tokens.
///
/// With groups of G and a window of W tokens, the distance of a key at position j from a query at
/// position i is
///
///     i - j                                  if i - j < W
///     floor(i / G) + W - W / G - floor(j / G)    otherwise
///
/// Source: Jin et al., LLM Maybe LongLM: Self-Extend LLM Context Window Without Tuning (arXiv
/// 2401.01325), equations 3 and 4, and algorithm 1.
public struct SelfExtend: Hashable, Sendable {
  /// G, the tokens that share one position.
  public let group: Int
  /// W, the distance from which on keys are grouped, in tokens.
  public let window: Int

  /// Returns nil unless both are positive and the window is a multiple of the group.
  ///
  /// For other windows the paper and its code differ in the positions.
  public init?(group: Int, window: Int) {
    guard group >= 1, window >= 1, window.isMultiple(of: group) else { return nil }
    (self.group, self.window) = (group, window)
  }

  /// The position of a far key.
  func keyPosition(_ position: Int) -> Int { position / group }

  /// The position of a query that sees far keys.
  func queryPosition(_ position: Int) -> Int { position / group + window - window / group }

  /// The most tokens whose distances a model with an original window has seen.
  public func reach(originalWindow: Int) -> Int {
    window >= originalWindow
      ? originalWindow : group * (originalWindow - window + window / group)
  }
}
