/// The tokens that begin and end a text if a GGUF file does not name them, as llama.cpp has them.
package struct DefaultTokens: Sendable {
  package let beginning: Int
  package let ending: Int

  /// - Parameter vocabulary: `tokenizer.ggml.model`.
  package init?(vocabulary: String?) {
    switch vocabulary {
    case "llama": (beginning, ending) = (1, 2)
    case "gpt2": (beginning, ending) = (11, 11)
    default: return nil
    }
  }
}
