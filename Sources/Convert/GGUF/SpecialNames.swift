import Formats
import Models
import Patch

/// The special tokens of a folder's tokenizer, and whether they are put around a text.
struct SpecialNames {
  /// The names in Hugging Face's configs and after `tokenizer.ggml.`.
  ///
  /// The fourth is misspelt in llama.cpp.
  static let names = [
    ("bos", "bos"), ("eos", "eos"), ("unk", "unknown"), ("sep", "seperator"), ("pad", "padding"),
    ("cls", "cls"), ("mask", "mask"),
  ]

  private let tokenizerConfig: JSONValue
  private let file: TokenizerFile

  init(folder: String, _ file: TokenizerFile) throws {
    let path = "\(folder)/\(ModelFolder.tokenizerConfigName)"
    tokenizerConfig = FileSystem.exists(path) ? try JSONDocument(path: path).value : .null
    self.file = file
  }

  /// The keys of all special tokens.
  /// - Parameters:
  ///   - config: the language model's part of config.json.
  ///   - count: the number of tokens.
  func keys(config: JSONValue, count: Int) -> [GGUFKey] {
    var keys: [GGUFKey] = []
    for (name, key) in Self.names {
      let token = tokenizerConfig["\(name)_token"]
      let text = token?.text ?? token?["content"]?.text
      let id =
        text.flatMap { text in file.added.first { $0.text == text }?.id }
        ?? config["\(name)_token_id"]?.integer
      if let id, (0..<count).contains(id) {
        keys.append(GGUFKey("tokenizer.ggml.\(key)_token_id", .uint32(UInt32(id))))
      }
    }
    let (beginning, ending) = added
    if let beginning { keys.append(GGUFKey("tokenizer.ggml.add_bos_token", .bool(beginning))) }
    if let ending { keys.append(GGUFKey("tokenizer.ggml.add_eos_token", .bool(ending))) }
    return keys
  }

  /// Whether a token is put before and after a text, by the post-processor, or else by
  /// tokenizer_config.json; nil if neither says.
  private var added: (beginning: Bool?, ending: Bool?) {
    let processors = TokenizerFile.flattened(file.json["post_processor"])
    guard !processors.isEmpty else {
      return (tokenizerConfig["add_bos_token"]?.flag, tokenizerConfig["add_eos_token"]?.flag)
    }
    let single =
      processors.first { $0["type"]?.text == "TemplateProcessing" }?["single"]?.elements ?? []
    return (
      single.first.map { $0["SpecialToken"] != nil } ?? false,
      single.last.map { $0["SpecialToken"] != nil } ?? false
    )
  }
}
