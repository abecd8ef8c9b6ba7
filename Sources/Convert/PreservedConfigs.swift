import Formats
import Models
import Patch

/// The contents of a folder for which GGUF has no keys, preserved in keys of lrpatch, so that
/// nothing is lost when the file is converted back.
///
/// These are config.json, generation_config.json, tokenizer_config.json without the chat template,
/// and tokenizer.json without vocabulary and merges. `VocabularyKeys` adds the merges of
/// vocabularies with scores, and the added tokens that are not in the vocabulary.
struct PreservedConfigs {
  static let prefix = "lrpatch.source."

  private(set) var keys: [GGUFKey] = []

  init(folder model: ModelFolder) throws {
    add("config", model.config.value)
    try add("generation_config", file: "\(model.path)/\(GenerationKeys.fileName)") { $0 }
    if let config = model.tokenizerConfig {
      add("tokenizer_config", config.value.without(["chat_template"]))
    }
    try add("tokenizer", file: "\(model.path)/\(TokenizerFile.name)") { json in
      guard case .object(let members) = json else { return json }
      return .object(
        members.map {
          $0.name == "model" ? JSONMember("model", $0.value.without(["vocab", "merges"])) : $0
        })
    }
  }

  private mutating func add(
    _ name: String, file path: String, _ reduce: (JSONValue) -> JSONValue
  ) throws {
    guard FileSystem.exists(path) else { return }
    add(name, reduce(try JSONDocument(path: path, limit: 64 << 20).value))
  }

  private mutating func add(_ name: String, _ value: JSONValue) {
    let text = String(decoding: JSONStyle.compact.encode(value), as: UTF8.self)
    keys.append(GGUFKey(Self.prefix + name, .string(text)))
  }

  /// The preserved value with a name, or nil if it is missing or cannot be parsed.
  static func value(_ name: String, in header: GGUFHeader) -> JSONValue? {
    guard let text = header[key: prefix + name]?.text else { return nil }
    return (try? JSONDocument(parsing: Array(text.utf8)))?.value
  }
}

extension JSONValue {
  /// An object without some of its members.
  ///
  /// Any other value stays the same.
  func without(_ names: Set<String>) -> JSONValue {
    guard case .object(let members) = self else { return self }
    return .object(members.filter { !names.contains($0.name) })
  }
}
