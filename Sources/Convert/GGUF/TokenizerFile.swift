import Formats
import Patch

/// A tokenizer.json as far as a conversion reads it: byte-pair encoding.
struct TokenizerFile {
  static let name = "tokenizer.json"

  struct Added {
    var id: Int
    var text: String
    var isSpecial: Bool
  }

  let path: String
  let json: JSONValue
  /// The model's own tokens by id.
  let pieces: [Int: String]
  /// Tokens that are found in the text itself.
  let added: [Added]
  let merges: [(left: String, right: String)]
  let isByteLevel: Bool

  /// - Throws: `PatchError` for a folder without one, or one of another kind.
  init(folder: String) throws {
    let path = "\(folder)/\(Self.name)"
    guard FileSystem.exists(path) else {
      throw PatchError.unsupported(folder, "there is no \(Self.name), without which the vocabulary cannot be converted")
    }
    try self.init(JSONDocument(path: path, limit: 64 << 20).value, path: path)
  }

  init(_ json: JSONValue, path: String) throws(PatchError) {
    self.path = path
    self.json = json
    let model = json["model"] ?? .null
    let type = model["type"]?.text ?? (model["merges"] == nil ? "none" : "BPE")
    guard type == "BPE" else {
      throw .unsupported(path, "a tokenizer of the type '\(type.sanitized)' cannot be converted")
    }
    added = try Self.added(json, path)
    pieces = try Self.pieces(model, path)
    merges = try Self.merges(model, path)
    isByteLevel = Self.types(json["pre_tokenizer"]).last == "ByteLevel"
  }

  private static func added(_ json: JSONValue, _ path: String) throws(PatchError) -> [Added] {
    var result: [Added] = []
    for value in json["added_tokens"]?.elements ?? [] {
      guard let text = value["content"]?.text, let id = value["id"]?.integer, id >= 0 else {
        throw .unsupported(path, "an added token without a content or an id")
      }
      result.append(Added(id: id, text: text, isSpecial: value["special"]?.flag == true))
    }
    return result
  }

  private static func pieces(_ model: JSONValue, _ path: String) throws(PatchError) -> [Int: String] {
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

  private static func merges(_ model: JSONValue, _ path: String) throws(PatchError) -> [(left: String, right: String)] {
    var result: [(left: String, right: String)] = []
    for merge in model["merges"]?.elements ?? [] {
      let parts =
        merge.elements?.compactMap(\.text)
        ?? (merge.text ?? "").split(separator: " ", omittingEmptySubsequences: false).map(String.init)
      guard parts.count == 2 else { throw .unsupported(path, "a merge is no pair") }
      result.append((parts[0], parts[1]))
    }
    return result
  }

  /// The types of a step and of those that it is a sequence of.
  static func types(_ step: JSONValue?) -> [String] { flattened(step).compactMap { $0["type"]?.text } }

  static func flattened(_ step: JSONValue?) -> [JSONValue] {
    guard let step, !step.isNull else { return [] }
    guard step["type"]?.text == "Sequence" else { return [step] }
    let parts =
      ["normalizers", "pretokenizers", "processors", "decoders"].compactMap { step[$0]?.elements }.first ?? []
    return parts.flatMap { flattened($0) }
  }
}
