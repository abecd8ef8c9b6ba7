package import Formats

/// Special tokens that absorb the whitespace after them, such as Phi-3's.
///
/// A GGUF file has no key for this, so llama.cpp decides by the model's name.
package enum AbsorbedSpace {
  /// Tokens that never absorb whitespace.
  package static let exceptions: Set = ["<unk>", "<s>", "<|endoftext|>"]

  /// Whether llama.cpp takes a model of this name for one with such tokens.
  ///
  /// It then refuses a vocabulary that lacks one of `exceptions`.
  package static func applies(toName name: String) -> Bool {
    let name = name.lowercased()
    return name.contains("phi-3") || name.contains("phi3")
  }
}

extension GGUFHeader {
  /// Whether the special tokens of this file absorb the whitespace after them.
  package var tokensAbsorbSpace: Bool {
    AbsorbedSpace.applies(toName: self[key: "general.name"]?.text ?? "")
  }
}
