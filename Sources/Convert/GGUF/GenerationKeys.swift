import Formats
import Models

/// The keys for what generation_config.json says: further tokens at which a generation ends, and
/// how tokens are sampled.
struct GenerationKeys {
  static let fileName = "generation_config.json"

  private(set) var keys: [GGUFKey] = []
  private(set) var remarks: [String] = []

  /// The members that llama.cpp's tools read from a GGUF file, with the names after
  /// `general.sampling.`.
  static let sampling = [
    (member: "top_k", key: "top_k"), ("top_p", "top_p"), ("min_p", "min_p"),
    ("temperature", "temp"), ("repetition_penalty", "penalty_repeat"),
  ]

  /// - Parameters:
  ///   - config: the language model's part of config.json.
  ///   - ending: the token of `tokenizer.ggml.eos_token_id`.
  ///   - count: the number of tokens.
  init(folder: String, config: JSONValue, ending: Int?, count: Int) throws {
    let path = "\(folder)/\(Self.fileName)"
    let generation = FileSystem.exists(path) ? try JSONDocument(path: path).value : .null
    addEndings(generation["eos_token_id"] ?? config["eos_token_id"], ending, count)
    for (member, key) in Self.sampling {
      guard let value = generation[member]?.double else { continue }
      let number: GGUFValue =
        key == "top_k" ? .int32(Int32(clamping: Int(value.rounded()))) : .float32(Float(value))
      keys.append(GGUFKey("general.sampling.\(key)", number))
    }
  }

  /// A GGUF file has places for three tokens that end a generation.
  private mutating func addEndings(_ value: JSONValue?, _ ending: Int?, _ count: Int) {
    let all = value?.elements?.compactMap(\.integer) ?? [value?.integer].compactMap(\.self)
    var others: [Int] = []
    for id in all where id != ending && (0..<count).contains(id) && !others.contains(id) {
      others.append(id)
    }
    for (name, id) in zip(["eot", "eom"], others) {
      keys.append(GGUFKey("tokenizer.ggml.\(name)_token_id", .uint32(UInt32(id))))
    }
    let left = others.dropFirst(2).map(String.init)
    if !left.isEmpty {
      remarks.append(
        "a GGUF file names three tokens that end a generation; \(left.joined(separator: ", ")) are left out"
      )
    }
  }
}
