package import Formats

/// Special tokens that absorb the whitespace after them, such as Phi-3's.
///
/// A GGUF file has no key for this, so llama.cpp decides by the model's name.
package enum AbsorbedSpace {
  /// Tokens that never absorb whitespace.
  package static let exceptions: Set = ["<unk>", "<s>", "<|endoftext|>"]
}

extension GGUFHeader {
  /// Whether the special tokens of this file absorb the whitespace after them.
  package var tokensAbsorbSpace: Bool {
    let name = self[key: "general.name"]?.text?.lowercased() ?? ""
    return name.contains("phi-3") || name.contains("phi3")
  }
}
