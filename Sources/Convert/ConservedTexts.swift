import Formats
import Patch

/// What a folder says and GGUF has no key for, kept in keys of lrpatch's own, so that the way back loses nothing:
/// config.json, generation_config.json, tokenizer_config.json without the chat template, tokenizer.json without vocabulary
/// and merges, the merges of vocabularies that have scores instead, and the tokens that are added ones only.
struct ConservedTexts {
  static let prefix = "lrpatch.source."

  private(set) var keys: [GGUFKey] = []

  init(folder model: HuggingFaceModel) throws {
    add("config", model.config.value)
    try add("generation_config", file: "\(model.path)/generation_config.json") { $0 }
    if let config = model.tokenizerConfig { add("tokenizer_config", config.value.without(["chat_template"])) }
    try add("tokenizer", file: "\(model.path)/\(TokenizerFile.name)") { json in
      guard case .object(let members) = json else { return json }
      return .object(
        members.map { $0.name == "model" ? JSONMember("model", $0.value.without(["vocab", "merges"])) : $0 })
    }
  }

  private mutating func add(_ name: String, file path: String, _ reduce: (JSONValue) -> JSONValue) throws {
    guard FileSystem.exists(path) else { return }
    add(name, reduce(try JSONDocument(path: path, limit: 64 << 20).value))
  }

  private mutating func add(_ name: String, _ value: JSONValue) {
    let text = String(decoding: JSONStyle.compact.encode(value), as: UTF8.self)
    keys.append(GGUFKey(Self.prefix + name, .string(text)))
  }

  /// What a GGUF file keeps under a name; nil where it keeps nothing, or nothing that can be read.
  static func value(_ name: String, in header: GGUFHeader) -> JSONValue? {
    guard let text = header[key: prefix + name]?.text else { return nil }
    return (try? JSONDocument(parsing: Array(text.utf8)))?.value
  }
}

extension JSONValue {
  /// An object without some of its members; any other value as it is.
  func without(_ names: Set<String>) -> JSONValue {
    guard case .object(let members) = self else { return self }
    return .object(members.filter { !names.contains($0.name) })
  }
}
