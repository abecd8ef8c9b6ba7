/// The meaning of a name in `tokenizer.ggml.pre`.
///
/// Source: llama-vocab.cpp of llama.cpp.
package struct NamedPretokenizer: Sendable {
  var expressions: [String]
  /// See `RankedMerges.Options`.
  var ignoresMerges = false
  /// Whether sequences begin with the beginning token if the file does not say.
  package var addsBeginning = false

  private static let digits = NamedPretokenizer(expressions: [#"\p{N}"#, SplitExpressions.gpt2])
  private static let plain = NamedPretokenizer(expressions: [SplitExpressions.gpt2])
  private static let llama3 = NamedPretokenizer(
    expressions: [SplitExpressions.llama3], ignoresMerges: true, addsBeginning: true)

  /// The meaning of a name, or nil if the name is not supported.
  package init?(_ name: String) {
    switch name {
    case "default":
      expressions = [
        SplitExpressions.signs, SplitExpressions.gpt2, SplitExpressions.digits, "[0-9][0-9][0-9]",
      ]
    case "gpt-2", "phi-2", "mpt", "olmo", "jais", "granite-docling": self = Self.plain
    case "starcoder", "refact", "smollm", "command-r", "codeshell", "exaone", "minerva-7b":
      self = Self.digits
    case "llama-bpe", "llama3", "llama-v3", "falcon3", "pixtral": self = Self.llama3
    case "smaug-bpe", "dbrx": expressions = [SplitExpressions.llama3]
    case "qwen2", "deepseek-r1-qwen", "megrez", "stablelm2", "hunyuan":
      expressions = [SplitExpressions.qwen2]
    case "qwen35": expressions = [SplitExpressions.qwen35]
    case "minicpm5":
      expressions = [#"\p{N}{1,3}"#, SplitExpressions.minicpm5]
      ignoresMerges = true
    case "gpt-4o", "llama4": expressions = [SplitExpressions.gpt4o]
    case "tekken":
      expressions = [SplitExpressions.tekken]
      ignoresMerges = true
      addsBeginning = true
    default: return nil
    }
  }

  private init(expressions: [String], ignoresMerges: Bool = false, addsBeginning: Bool = false) {
    self.expressions = expressions
    self.ignoresMerges = ignoresMerges
    self.addsBeginning = addsBeginning
  }
}
