import Formats
import Models

/// Reads `tokenizer.json`, the format of the tokenizers library. Byte-pair encoding is supported,
/// byte-level or in SentencePiece's style.
extension Tokenizer {
  static let fileName = "tokenizer.json"

  init(folder: String) throws {
    let path = "\(folder)/\(Self.fileName)"
    guard FileSystem.exists(path) else { throw Self.missing(in: folder) }
    try self.init(
      json: JSONDocument(path: path, limit: 64 << 20).value, folder: folder, subject: path)
  }

  private static func missing(in folder: String) -> ModelError {
    let names = (try? FileSystem.names(in: folder)) ?? []
    let other = names.sorted().first {
      $0.hasSuffix(".tiktoken") || $0 == "tokenizer.model" || $0 == "tekken.json"
    }
    let reason = other.map { "; '\($0)' is not supported" } ?? ""
    return ModelError.unsupported(folder, "the folder has no \(fileName)\(reason)")
  }

  private init(json: JSONValue, folder: String, subject: String) throws {
    let value = json["model"] ?? .null
    let type = value["type"]?.text ?? (value["merges"] == nil ? "none" : "BPE")
    guard type == "BPE" else {
      throw ModelError.unsupported(
        subject, "a model of the type '\(type)' is not supported, expected 'BPE'")
    }
    for name in ["continuing_subword_prefix", "end_of_word_suffix"]
    where !(value[name]?.text ?? "").isEmpty {
      throw ModelError.unsupported(subject, "'\(name)' of the model is not supported")
    }
    if let dropout = value["dropout"]?.double, dropout != 0 {
      throw ModelError.unsupported(
        subject, "'dropout' of the model is \(dropout), with which tokens are random")
    }
    let added = try Self.addedTokens(json, subject)
    let vocabulary = try Self.vocabulary(value, added, subject)
    var (pretokenizer, isByteLevel) = try Pretokenizer.read(
      json["pre_tokenizer"] ?? .null, subject: subject)
    let normalizer = try Normalizer.read(json["normalizer"] ?? .null, subject: subject)
    var decoder = try PieceDecoder(json["decoder"] ?? .null, subject: subject)
    decoder.verbatim = Set(added.map(\.id))
    decoder.isByteLevel = decoder.isByteLevel || isByteLevel
    let options = try Self.options(value, vocabulary, isByteLevel: isByteLevel, subject)
    if !isByteLevel, !options.ignoresMerges, vocabulary.splitsBeforeMarks {
      pretokenizer.steps.append(.splitBeforeMarks)
    }
    self.init(
      vocabulary, added: added,
      TokenizerSteps(normalizer: normalizer, pretokenizer: pretokenizer, decoder: decoder),
      model: try RankedMerges(Self.merges(value, subject), vocabulary, options, subject: subject),
      special: try SpecialTokens(json, folder: folder, vocabulary, added, subject: subject))
  }

  private static func options(
    _ model: JSONValue, _ vocabulary: Vocabulary, isByteLevel: Bool, _ subject: String
  ) throws -> RankedMerges.Options {
    var options = RankedMerges.Options()
    options.isByteLevel = isByteLevel
    options.ignoresMerges = model["ignore_merges"]?.flag == true
    options.hasByteFallback = model["byte_fallback"]?.flag == true
    options.fusesUnknown = model["fuse_unk"]?.flag == true
    // The library reads the merges into a table, in which a later pair replaces an equal one.
    options.lastPairCounts = true
    if let name = model["unk_token"]?.text {
      guard let unknown = vocabulary[name] else {
        throw ModelError.unsupported(subject, "the unk_token '\(name)' is not in the vocabulary")
      }
      options.unknown = unknown
    }
    return options
  }

  private static func addedTokens(_ json: JSONValue, _ subject: String) throws -> [AddedToken] {
    try (json["added_tokens"]?.elements ?? []).compactMap { value in
      guard let text = value["content"]?.text, let id = value["id"]?.integer, id >= 0 else {
        throw ModelError.unsupported(subject, "an added token has no content or no id")
      }
      guard text.utf8.count <= AddedTokens.longest else {
        throw ModelError.unsupported(
          subject,
          "an added token has \(text.utf8.count) bytes, expected at most \(AddedTokens.longest)")
      }
      if text.isEmpty { return nil }
      return AddedToken(
        text: Array(text.utf8), id: id, stripsLeft: value["lstrip"]?.flag == true,
        stripsRight: value["rstrip"]?.flag == true, isWord: value["single_word"]?.flag == true,
        isNormalized: value["normalized"]?.flag == true)
    }
  }

  private static func vocabulary(
    _ model: JSONValue, _ added: [AddedToken], _ subject: String
  ) throws -> Vocabulary {
    var pieces: [Int: [UInt8]] = [:]
    for member in model["vocab"]?.members ?? [] {
      guard let id = member.value.integer, id >= 0 else {
        throw ModelError.unsupported(subject, "the token '\(member.name)' has no id")
      }
      guard pieces.updateValue(Array(member.name.utf8), forKey: id) == nil else {
        throw ModelError.unsupported(subject, "two tokens have the id \(id)")
      }
    }
    let model = pieces
    for token in added { pieces[token.id] = token.text }
    try TokenizerLimits.check(tokens: pieces.count, subject)
    // At most half of the ids may be gaps, so that the memory depends on the number of tokens.
    let last = pieces.keys.max() ?? -1
    guard last >= 0, last <= 2 * pieces.count + 1024 else {
      throw ModelError.unsupported(
        subject, "the vocabulary has \(pieces.count) tokens, but ids up to \(last)")
    }
    let onlyAdded = added.filter { model[$0.id] != $0.text }.map(\.id)
    return Vocabulary(pieces: (0...last).map { pieces[$0] ?? [] }, except: Set(onlyAdded))
  }

  /// Reads merges, each a list of two texts, or one text with a space between the two.
  private static func merges(
    _ model: JSONValue, _ subject: String
  ) throws -> [(left: ArraySlice<UInt8>, right: ArraySlice<UInt8>)] {
    try (model["merges"]?.elements ?? []).map { merge in
      let parts =
        merge.elements?.compactMap { $0.text.map { Array($0.utf8)[...] } }
        ?? Array((merge.text ?? "").utf8).split(separator: 0x20, omittingEmptySubsequences: false)
      guard parts.count == 2 else { throw ModelError.unsupported(subject, "a merge is not a pair") }
      return (parts[0], parts[1])
    }
  }
}
