import Formats

/// `tokenizer.json`, as the tokenizers library writes it: byte-level BPE.
extension Tokenizer {
  init(json: JSONValue, path: String) throws {
    let subject = "\(path)/tokenizer.json"
    guard let model = json["model"], model["type"]?.text ?? "BPE" == "BPE" else {
      throw VerifyError(
        subject, "a model of the type '\(json["model"]?["type"]?.text ?? "?")'; only BPE is supported yet")
    }
    for (member, name) in [("byte_fallback", "byte fallback")] where model[member]?.flag == true {
      throw VerifyError(subject, "\(name) is not supported yet")
    }
    if let normalizer = json["normalizer"], !normalizer.isNull {
      throw VerifyError(subject, "the normalizer '\(normalizer["type"]?.text ?? "?")' is not supported yet")
    }
    let added = Self.addedTokens(json)
    let pieces = try Self.pieces(model, added, subject)
    let ids = Dictionary(pieces.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    self.init(
      pieces: pieces, pretokenizer: try Self.pretokenizer(json["pre_tokenizer"] ?? .null, subject),
      merges: try MergeTable(pairs: Self.merges(model, subject), ids: ids, subject: subject),
      addedTokens: added, beginning: Self.beginning(json["post_processor"] ?? .null))
  }

  private static func addedTokens(_ json: JSONValue) -> [(text: String, id: Int)] {
    (json["added_tokens"]?.elements ?? []).compactMap { token in
      guard let text = token["content"]?.text, let id = token["id"]?.integer, !text.isEmpty else { return nil }
      return (text, id)
    }
  }

  private static func pieces(
    _ model: JSONValue, _ added: [(text: String, id: Int)], _ subject: String
  ) throws -> [String] {
    var byID: [Int: String] = [:]
    for member in model["vocab"]?.members ?? [] {
      guard let id = member.value.integer, id >= 0 else {
        throw VerifyError(subject, "the token '\(member.name)' has no id")
      }
      byID[id] = member.name
    }
    for token in added { byID[token.id] = token.text }
    // Ids may have gaps, but no more than one in two: memory is reserved by what is there.
    let count = (byID.keys.max() ?? -1) + 1
    guard count > 0, count <= 2 * byID.count + 1024 else {
      throw VerifyError(subject, "\(byID.count) tokens with ids up to \(count - 1)")
    }
    return (0..<count).map { byID[$0] ?? "" }
  }

  /// Pairs as lists, or as one text with a space between.
  private static func merges(_ model: JSONValue, _ subject: String) throws -> [(String, String)] {
    try (model["merges"]?.elements ?? []).map { merge in
      let parts = merge.elements?.compactMap(\.text) ?? (merge.text ?? "").split(separator: " ").map(String.init)
      guard parts.count == 2 else { throw VerifyError(subject, "a merge is no pair") }
      return (parts[0], parts[1])
    }
  }

  private static func pretokenizer(_ value: JSONValue, _ subject: String) throws -> Pretokenizer {
    var patterns: [String] = []
    var addsSpace = false
    var isByteLevel = false
    let steps = value["type"]?.text == "Sequence" ? value["pretokenizers"]?.elements ?? [] : [value]
    for step in steps {
      switch step["type"]?.text {
      case "Split":
        guard let pattern = step["pattern"]?["Regex"]?.text, step["behavior"]?.text == "Isolated",
          step["invert"]?.flag != true
        else { throw VerifyError(subject, "a pre-tokenizer Split that does not isolate a regular expression") }
        patterns.append(pattern)
      case "Digits":
        patterns.append(step["individual_digits"]?.flag == true ? #"\p{N}"# : #"\p{N}+"#)
      case "ByteLevel":
        isByteLevel = true
        addsSpace = step["add_prefix_space"]?.flag == true
        if step["use_regex"]?.flag != false { patterns.append(Pretokenizer.gpt2) }
      case let type:
        throw VerifyError(subject, "the pre-tokenizer '\(type ?? "none")' is not supported yet")
      }
    }
    guard isByteLevel else { throw VerifyError(subject, "a tokenizer that is not byte-level is not supported yet") }
    return try Pretokenizer(patterns, addsSpace: addsSpace, subject: subject)
  }

  /// The special token before the text in a template.
  private static func beginning(_ value: JSONValue) -> Int? {
    let processors = value["type"]?.text == "Sequence" ? value["processors"]?.elements ?? [] : [value]
    for processor in processors where processor["type"]?.text == "TemplateProcessing" {
      guard let name = processor["single"]?.elements?.first?["SpecialToken"]?["id"]?.text else { continue }
      return processor["special_tokens"]?[name]?["ids"]?.elements?.first?.integer
    }
    return nil
  }
}
