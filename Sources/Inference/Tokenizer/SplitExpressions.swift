/// The regular expressions with which models split texts, as in their tokenizer.json files.
enum SplitExpressions {
  /// GPT-2's expression, which is the default of `ByteLevel`.
  static let gpt2 = #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#
  static let llama3 = contractions + "|" + word + #"|\p{N}{1,3}|"# + rest
  static let qwen2 = contractions + "|" + word + #"|\p{N}|"# + rest
  static let qwen35 =
    contractions + #"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|"#
    + spaces
  static let minicpm5 = contractions + "|" + word + #"|\p{N}+|"# + rest
  static let gpt4o =
    lower + contractions + "?|" + upper + contractions
    + #"?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|"# + spaces
  static let tekken = lower + "|" + upper + #"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|"# + spaces

  /// All expressions that need no speed test.
  static let all: Set<String> = [
    gpt2, llama3, qwen2, qwen35, minicpm5, gpt4o, tekken, signs, digits, #"\p{N}{1,3}"#,
    #"\w+|[^\w\s]+"#,
  ]

  /// The expression before GPT-2's in llama.cpp's `default`.
  static let signs = #"[\p{P}\$\+<=>\^~\|]+"#
  /// The expression after GPT-2's in llama.cpp's `default`.
  static let digits = #"\p{N}+"#

  private static let contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
  private static let word = #"[^\r\n\p{L}\p{N}]?\p{L}+"#
  private static let lower =
    #"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"#
  private static let upper =
    #"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"#
  private static let spaces = #"\s*[\r\n]+|\s+(?!\S)|\s+"#
  private static let rest = #" ?[^\s\p{L}\p{N}]+[\r\n]*|"# + spaces
}
