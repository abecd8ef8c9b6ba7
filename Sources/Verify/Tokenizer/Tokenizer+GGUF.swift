import Formats

/// The vocabulary in a GGUF file: byte-level BPE (`gpt2`) with the pre-tokenizers whose expressions are known.
extension Tokenizer {
  /// By the value of `tokenizer.ggml.pre`.
  private static let patterns: [String: [String]] = [
    "default": [Pretokenizer.gpt2], "gpt-2": [Pretokenizer.gpt2],
    "smollm": [#"\p{N}"#, Pretokenizer.gpt2],
    "llama-bpe": [
      #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    ],
    "qwen2": [
      #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    ],
  ]

  init(gguf file: borrowing GGUFFile, path: String) throws {
    func text(_ name: String) -> String? { file.header[key: "tokenizer.ggml.\(name)"]?.text }
    guard text("model") == "gpt2" else {
      throw VerifyError(path, "a vocabulary of the kind '\(text("model") ?? "none")' is not supported yet")
    }
    let pre = text("pre") ?? "default"
    guard let patterns = Self.patterns[pre] else {
      throw VerifyError(path, "the pre-tokenizer '\(pre)' is not supported yet")
    }
    guard let pieces = try file.strings("tokenizer.ggml.tokens"),
      let merges = try file.strings("tokenizer.ggml.merges")
    else { throw VerifyError(path, "the vocabulary has no tokens or no merges") }
    let types = file.integers("tokenizer.ggml.token_type") ?? []
    let added = zip(pieces, types).enumerated().compactMap { index, pair in
      // Control tokens are 3, user-defined ones 4.
      [3, 4].contains(pair.1) && !pair.0.isEmpty ? (text: pair.0, id: index) : nil
    }
    let ids = Dictionary(pieces.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    let pairs = try merges.map { merge in
      let parts = merge.split(separator: " ").map(String.init)
      guard parts.count == 2 else { throw VerifyError(path, "the merge '\(merge)' is no pair") }
      return (parts[0], parts[1])
    }
    let wantsBeginning = file.header[key: "tokenizer.ggml.add_bos_token"] == .bool(true)
    self.init(
      pieces: pieces, pretokenizer: try Pretokenizer(patterns, subject: path),
      merges: try MergeTable(pairs: pairs, ids: ids, subject: path), addedTokens: added,
      beginning: wantsBeginning ? file.header[key: "tokenizer.ggml.bos_token_id"]?.integer : nil)
  }
}
