import Formats
import Models
import Patch

/// The parts of a tokenizer.json that a conversion needs.
///
/// Only byte-pair encoding is supported.
struct TokenizerFile {
  static let name = "tokenizer.json"

  struct Added {
    var id: Int
    var text: String
    var isSpecial: Bool
  }

  let path: String
  let json: JSONValue
  /// The tokens of the vocabulary by id.
  let pieces: [Int: String]
  /// The added tokens, which are matched in the text before it is split.
  let added: [Added]
  let merges: [(left: String, right: String)]
  let isByteLevel: Bool

  /// Reads the tokenizer of a folder.
  /// - Throws: `ModelError` for a folder without tokenizer.json, or for another kind of tokenizer.
  init(folder: String) throws {
    let path = "\(folder)/\(Self.name)"
    guard FileSystem.exists(path) else {
      throw ModelError.unsupported(
        folder, "the folder has no \(Self.name), which is needed to convert the vocabulary")
    }
    try self.init(JSONDocument(path: path, limit: 64 << 20).value, path: path)
  }

  init(_ json: JSONValue, path: String) throws(ModelError) {
    self.path = path
    self.json = json
    let model = json["model"] ?? .null
    let type = model["type"]?.text ?? (model["merges"] == nil ? "none" : "BPE")
    guard type == "BPE" else {
      throw .unsupported(
        path, "a tokenizer of the type '\(type.sanitized)' cannot be converted, expected 'BPE'")
    }
    added = try Self.added(json, path)
    pieces = try Self.pieces(model, path)
    merges = try Self.merges(model, path)
    isByteLevel = Self.types(json["pre_tokenizer"]).last == "ByteLevel"
  }

  private static func added(_ json: JSONValue, _ path: String) throws(ModelError) -> [Added] {
    var result: [Added] = []
    for value in json["added_tokens"]?.elements ?? [] {
      guard let text = value["content"]?.text, let id = value["id"]?.integer, id >= 0 else {
        throw .unsupported(path, "an added token has no content or no id")
      }
      result.append(Added(id: id, text: text, isSpecial: value["special"]?.flag == true))
    }
    return result
  }

  private static func pieces(
    _ model: JSONValue, _ path: String
  ) throws(ModelError) -> [Int: String] {
    var pieces: [Int: String] = [:]
    for member in model["vocab"]?.members ?? [] {
      guard let id = member.value.integer, id >= 0 else {
        throw .unsupported(path, "the token '\(member.name.sanitized)' has no id")
      }
      guard pieces.updateValue(member.name, forKey: id) == nil else {
        throw .unsupported(path, "two tokens have the id \(id)")
      }
    }
    return pieces
  }

  private static func merges(
    _ model: JSONValue, _ path: String
  ) throws(ModelError) -> [(left: String, right: String)] {
    var result: [(left: String, right: String)] = []
    for merge in model["merges"]?.elements ?? [] {
      let parts =
        merge.elements?.compactMap(\.text)
        ?? (merge.text ?? "").split(separator: " ", omittingEmptySubsequences: false)
        .map(String.init)
      guard parts.count == 2 else { throw .unsupported(path, "a merge is not a pair") }
      result.append((parts[0], parts[1]))
    }
    return result
  }

  /// The types of the steps in a step, which may be a sequence.
  static func types(_ step: JSONValue?) -> [String] {
    flattened(step).compactMap { $0["type"]?.text }
  }

  /// The steps of a sequence, or the step itself if it is not a sequence.
  static func flattened(_ step: JSONValue?) -> [JSONValue] {
    guard let step, !step.isNull else { return [] }
    guard step["type"]?.text == "Sequence" else { return [step] }
    let parts =
      ["normalizers", "pretokenizers", "processors", "decoders"].compactMap { step[$0]?.elements }
      .first ?? []
    return parts.flatMap { flattened($0) }
  }
}
