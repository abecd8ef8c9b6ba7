import Formats
import Models

extension SpecialTokens {
  /// Reads the special tokens of a folder.
  ///
  /// The post-processor's template decides whether there is a beginning token. Its name, in case it
  /// is forced, comes from tokenizer_config.json or the configs of the model, and the ending tokens
  /// come from all of them.
  init(
    _ json: JSONValue, folder: String, _ vocabulary: Vocabulary, _ added: [AddedToken],
    subject: String
  ) throws {
    func id(_ name: String) -> Int? {
      added.first { $0.text == Array(name.utf8) }?.id ?? vocabulary[name]
    }
    func file(_ name: String) throws -> JSONValue {
      let path = "\(folder)/\(name)"
      return FileSystem.exists(path) ? try JSONDocument(path: path).value : .null
    }
    let configs = try [file("generation_config.json"), file("config.json")]
    let named = try file("tokenizer_config.json")
    func token(_ member: String) -> Int? {
      (named[member]?.text ?? named[member]?["content"]?.text).flatMap(id)
    }
    beginning = try Self.beginning(json["post_processor"] ?? .null, subject)
    namedBeginning = token("bos_token") ?? configs.compactMap { $0["bos_token_id"]?.integer }.first
    let ends =
      configs.compactMap { $0["eos_token_id"] }.compactMap { $0.elements ?? [$0] }.first ?? []
    endings = Set(ends.compactMap(\.integer) + [token("eos_token")].compactMap(\.self))
    let ids = vocabulary.pieces.indices
    if let beginning, !ids.contains(beginning) {
      throw ModelError.unsupported(
        subject, "the beginning token \(beginning) is not in the vocabulary")
    }
    // The config may belong to a model with more tokens than the tokenizer.
    if let id = namedBeginning, !ids.contains(id) { namedBeginning = nil }
    endings.formIntersection(ids)
  }

  private static func beginning(_ value: JSONValue, _ subject: String) throws -> Int? {
    switch value["type"]?.text {
    case nil where value.isNull: return nil
    case "ByteLevel": return nil
    case "Sequence":
      let all = try (value["processors"]?.elements ?? []).compactMap { try beginning($0, subject) }
      guard all.count < 2 else {
        throw ModelError.unsupported(subject, "more than one beginning token is not supported")
      }
      return all.first
    case "TemplateProcessing":
      let tokens = (value["single"]?.elements ?? []).prefix { $0["Sequence"] == nil }
      guard tokens.count < 2 else {
        throw ModelError.unsupported(subject, "more than one beginning token is not supported")
      }
      guard let name = tokens.first?["SpecialToken"]?["id"]?.text else { return nil }
      guard let ids = value["special_tokens"]?[name]?["ids"]?.doubles, ids.count == 1,
        let id = Int(exactly: ids[0])
      else {
        throw ModelError.unsupported(
          subject,
          "the token '\(name)' of the post-processor's template does not have exactly one id")
      }
      return id
    case let type:
      throw ModelError.unsupported(
        subject, "the post-processor '\(type ?? "none")' is not supported")
    }
  }
}
