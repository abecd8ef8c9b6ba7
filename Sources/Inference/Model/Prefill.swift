import Patch

/// How prompts are given to a runtime.
public enum Prefill: Equatable, Hashable, Sendable {
  /// In the chunks of the runtime's default.
  case own
  /// At once.
  case whole
  /// In chunks of this many tokens, each of which is one forward pass.
  case chunks(Int)

  /// The tokens in a chunk, or nil for whole prompts.
  func chunk(_ own: PrefillChunks) -> Int? {
    switch self {
    case .own: own.size
    case .whole: nil
    case .chunks(let size): size
    }
  }
}
