/// The regular expressions that models cut texts with, as their tokenizer.json files have them.
enum KnownExpressions {
  /// GPT-2's own, which `ByteLevel` uses where it is not told otherwise.
  static let gpt2 = #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#
  static let llama3 = contractions + "|" + word + #"|\p{N}{1,3}|"# + rest
  static let qwen2 = contractions + "|" + word + #"|\p{N}|"# + rest
  static let qwen35 =
    contractions + #"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|"# + spaces
  static let minicpm5 = contractions + "|" + word + #"|\p{N}+|"# + rest
  static let gpt4o =
    lower + contractions + "?|" + upper + contractions + #"?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|"# + spaces
  static let tekken = lower + "|" + upper + #"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|"# + spaces

  static let all: Set<String> = [
    gpt2, llama3, qwen2, qwen35, minicpm5, gpt4o, tekken, signs, digits, #"\p{N}{1,3}"#, #"\w+|[^\w\s]+"#,
  ]

  /// The two that come before and after GPT-2's in llama.cpp's `default`.
  static let signs = #"[\p{P}\$\+<=>\^~\|]+"#
  static let digits = #"\p{N}+"#

  private static let contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
  private static let word = #"[^\r\n\p{L}\p{N}]?\p{L}+"#
  private static let lower = #"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"#
  private static let upper = #"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"#
  private static let spaces = #"\s*[\r\n]+|\s+(?!\S)|\s+"#
  private static let rest = #" ?[^\s\p{L}\p{N}]+[\r\n]*|"# + spaces
}

/// What `tokenizer.ggml.pre` means, as llama.cpp's llama-vocab.cpp has it.
package struct NamedPretokenizer: Sendable {
  var expressions: [String]
  /// See `RankedMerges.Options`.
  var ignoresMerges = false
  /// Whether sequences begin with the beginning token where the file does not say.
  var addsBeginning = false

  private static let digits = NamedPretokenizer(expressions: [#"\p{N}"#, KnownExpressions.gpt2])
  private static let plain = NamedPretokenizer(expressions: [KnownExpressions.gpt2])
  private static let llama3 = NamedPretokenizer(
    expressions: [KnownExpressions.llama3], ignoresMerges: true, addsBeginning: true)

  /// Nil for a name that is not supported.
  init?(_ name: String) {
    switch name {
    case "default":
      expressions = [KnownExpressions.signs, KnownExpressions.gpt2, KnownExpressions.digits, "[0-9][0-9][0-9]"]
    case "gpt-2", "phi-2", "mpt", "olmo", "jais", "granite-docling": self = Self.plain
    case "starcoder", "refact", "smollm", "command-r", "codeshell", "exaone", "minerva-7b": self = Self.digits
    case "llama-bpe", "llama3", "llama-v3", "falcon3", "pixtral": self = Self.llama3
    case "smaug-bpe", "dbrx": expressions = [KnownExpressions.llama3]
    case "qwen2", "deepseek-r1-qwen", "megrez", "stablelm2", "hunyuan": expressions = [KnownExpressions.qwen2]
    case "qwen35": expressions = [KnownExpressions.qwen35]
    case "minicpm5":
      expressions = [#"\p{N}{1,3}"#, KnownExpressions.minicpm5]
      ignoresMerges = true
    case "gpt-4o", "llama4": expressions = [KnownExpressions.gpt4o]
    case "tekken":
      expressions = [KnownExpressions.tekken]
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
