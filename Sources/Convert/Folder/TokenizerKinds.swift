import Formats
import Inference
import Models
import Patch

/// The tokenizer.json of a byte-level vocabulary (`gpt2`).
struct ByteLevelTokenizer {
  let json: JSONValue

  init(_ stored: StoredVocabulary) throws {
    let (preTokenizer, ignoresMerges) = try NamedPretokenizer.description(
      of: stored.pre, subject: stored.path)
    let merges = try (stored.keptMerges ?? stored.merges).map { merge -> JSONValue in
      // The first part may begin with a space.
      guard let space = merge.dropFirst().firstIndex(of: " ") else {
        throw ModelError.unsupported(stored.path, "the merge '\(merge.sanitized)' is not a pair")
      }
      return .array([
        .string(String(merge[..<space])), .string(String(merge[merge.index(after: space)...])),
      ])
    }
    let decoder: JSONValue = .object([
      "type": .string("ByteLevel"), "add_prefix_space": .bool(true), "trim_offsets": .bool(true),
      "use_regex": .bool(true),
    ])
    json = stored.document(
      normalizer: .null, preTokenizer: preTokenizer, decoder: decoder,
      model: [
        JSONMember("type", .string("BPE")), JSONMember("dropout", .null),
        JSONMember("unk_token", .null), JSONMember("continuing_subword_prefix", .null),
        JSONMember("end_of_word_suffix", .null), JSONMember("fuse_unk", .bool(false)),
        JSONMember("byte_fallback", .bool(false)),
        JSONMember("ignore_merges", .bool(ignoresMerges)), JSONMember("vocab", stored.vocabulary),
        JSONMember("merges", .array(merges)),
      ])
  }
}

/// The tokenizer.json of a vocabulary with SentencePiece's pieces and scores (`llama`).
struct PieceTokenizer {
  let json: JSONValue

  init(_ stored: StoredVocabulary) {
    let mark = "\u{2581}"
    let spaces: JSONValue = .object([
      "type": .string("Replace"), "pattern": .object(["String": .string(" ")]),
      "content": .string(mark),
    ])
    let prefix: JSONValue = .object(["type": .string("Prepend"), "prepend": .string(mark)])
    let normalizer: JSONValue = .object([
      "type": .string("Sequence"),
      "normalizers": .array((stored.addsPrefix ? [prefix] : []) + [spaces]),
    ])
    let back: JSONValue = .object([
      "type": .string("Replace"), "pattern": .object(["String": .string(mark)]),
      "content": .string(" "),
    ])
    let strip: JSONValue = .object([
      "type": .string("Strip"), "content": .string(" "), "start": .number(1), "stop": .number(0),
    ])
    let decoders: [JSONValue] =
      [back, .object(["type": .string("ByteFallback")]), .object(["type": .string("Fuse")])]
      + (stored.addsPrefix ? [strip] : [])
    let unknown =
      stored.kinds.firstIndex(of: .unknown).map { JSONValue.string(stored.tokens[$0]) } ?? .null
    json = stored.document(
      normalizer: normalizer, preTokenizer: .null,
      decoder: .object(["type": .string("Sequence"), "decoders": .array(decoders)]),
      model: [
        JSONMember("type", .string("BPE")), JSONMember("dropout", .null),
        JSONMember("unk_token", unknown), JSONMember("continuing_subword_prefix", .null),
        JSONMember("end_of_word_suffix", .null), JSONMember("fuse_unk", .bool(true)),
        JSONMember("byte_fallback", .bool(true)),
        JSONMember("ignore_merges", .bool(false)), JSONMember("vocab", stored.vocabulary),
        JSONMember("merges", .array(Self.merges(stored))),
      ])
  }

  /// The pairs that form each piece, in the order of the pieces' scores, as llama.cpp merges them.
  private static func merges(_ stored: StoredVocabulary) -> [JSONValue] {
    func pair(_ left: String, _ right: String) -> JSONValue {
      .array([.string(left), .string(right)])
    }
    if let kept = stored.keptMerges {
      return kept.compactMap { merge in
        merge.dropFirst().firstIndex(of: " ").map {
          pair(String(merge[..<$0]), String(merge[merge.index(after: $0)...]))
        }
      }
    }
    let parts = Set(
      stored.tokens.indices
        .filter { stored.kinds[$0] == .normal || stored.kinds[$0] == .unused }
        .map { Array(stored.tokens[$0].utf8) })
    let order = stored.tokens.indices.filter { stored.kinds[$0] == .normal }.sorted {
      (-stored.scores[$0], $0) < (-stored.scores[$1], $1)
    }
    return order.flatMap { id -> [JSONValue] in
      let piece = Array(stored.tokens[id].utf8)
      return piece.indices.dropFirst().compactMap { place in
        // A piece does not end within a character.
        guard piece[place] & 0xC0 != 0x80, parts.contains(Array(piece[..<place])),
          parts.contains(Array(piece[place...]))
        else { return nil }
        return pair(
          String(decoding: piece[..<place], as: UTF8.self),
          String(decoding: piece[place...], as: UTF8.self))
      }
    }
  }
}
