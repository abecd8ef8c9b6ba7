/// The kind of a GGUF file's vocabulary: the values of `tokenizer.ggml.model` that are supported.
package enum VocabularyKind: String, CaseIterable, Sendable {
  /// Pieces with scores, in SentencePiece's style.
  case pieces = "llama"
  /// Byte-level byte-pair encoding.
  case merges = "gpt2"

  /// Reads `tokenizer.ggml.model`, or gives nil for a kind that is not supported.
  package init?(_ model: String?) {
    guard let model else { return nil }
    self.init(rawValue: model)
  }

  /// The kinds as an error message lists them.
  package static let list = allCases.map { "'\($0.rawValue)'" }.sorted().joined(separator: " or ")

  /// The tokens that begin and end a text if a file does not name them, as llama.cpp has them.
  package var defaultTokens: (beginning: Int, ending: Int) {
    switch self {
    case .pieces: (1, 2)
    case .merges: (11, 11)
    }
  }
}
