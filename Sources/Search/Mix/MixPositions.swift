/// Which positions the tokens of a long row get.
public enum MixPositions: String, CaseIterable, Codable, Sendable {
  /// 0 to L - 1: a row is as long as the extended window.
  case full
  /// PoSE (arXiv 2309.10400): a row is as long as the original window, and skips positions once.
  case pose
  /// LongRecipe (arXiv 2409.00509): a row is as long as the original window, and skips positions
  /// between its sentences.
  case longrecipe

  /// The length of a row, in tokens.
  func rowTokens(originalWindow: Int, window: Int) -> Int {
    self == .full ? window : originalWindow
  }
}
