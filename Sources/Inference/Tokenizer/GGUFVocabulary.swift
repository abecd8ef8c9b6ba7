import Formats
import Models

/// The keys `tokenizer.ggml.*` of a GGUF file.
struct GGUFVocabulary {
  /// The relevant values of `tokenizer.ggml.token_type`.
  private enum Kind {
    static let unknown = 2
    static let control = 3
    static let userDefined = 4
  }

  /// Names of control tokens at which llama.cpp ends a generation.
  private static let endingNames: Set<String> = [
    "<|eot_id|>", "<|eom_id|>", "<|im_end|>", "<|end|>", "<|endoftext|>", "<|end_of_text|>",
    "<end_of_turn>",
  ]

  let path: String
  let model: String?
  let pre: String?
  let vocabulary: Vocabulary
  let scores: [Float]?
  let added: [AddedToken]
  let addsPrefix: Bool?
  /// Tokens with a piece that is their text, not an encoded form.
  let verbatim: Set<Int>
  private let kinds: [Int]
  private let ids: [String: Int]
  private let addsBeginning: Bool?

  init(_ file: borrowing GGUFFile, path: String) throws {
    func value(_ name: String) -> GGUFValue? { file.header[key: "tokenizer.ggml.\(name)"] }
    func flag(_ name: String) -> Bool? {
      if case .bool(let flag)? = value(name) { flag } else { nil }
    }
    self.path = path
    model = value("model")?.text
    pre = value("pre")?.text
    addsPrefix = flag("add_space_prefix")
    addsBeginning = flag("add_bos_token")
    for name in ["tokens", "merges"] {
      guard case .array(let array)? = value(name) else { continue }
      try TokenizerLimits.check(tokens: array.count, path)
    }
    guard let pieces = try file.strings("tokenizer.ggml.tokens"), !pieces.isEmpty else {
      throw ModelError.unsupported(path, "the vocabulary has no tokens")
    }
    vocabulary = Vocabulary(pieces: pieces.map { Array($0.utf8) })
    let kinds = file.integers("tokenizer.ggml.token_type") ?? []
    try Self.check(pieces, kinds, file.header[key: "tokenizer.ggml.token_type"], path)
    self.kinds = kinds
    scores = try file.scores(path)
    added = try Self.added(pieces, kinds, stripsRight: file.header.tokensAbsorbSpace, path)
    verbatim = Set(added.map(\.id))
    ids = Dictionary(
      ["bos", "eos", "eot", "eom", "unknown"].compactMap { name in
        value("\(name)_token_id")?.integer.map { (name, $0) }
      }, uniquingKeysWith: { first, _ in first })
  }

  /// Refuses a vocabulary that llama.cpp refuses: types of another kind or number, a token twice.
  private static func check(
    _ pieces: [String], _ kinds: [Int], _ stored: GGUFValue?, _ path: String
  ) throws(ModelError) {
    if let stored {
      guard case .array(let array) = stored, array.elementType == .int32,
        kinds.count >= pieces.count
      else {
        throw .unsupported(
          path,
          "tokenizer.ggml.token_type is not a list of INT32 with a type for each of \(pieces.count) tokens, as llama.cpp requires"
        )
      }
    }
    var seen: Set<[UInt8]> = []
    seen.reserveCapacity(pieces.count)
    for piece in pieces where !seen.insert(Array(piece.utf8)).inserted {
      throw .unsupported(
        path, "the token '\(piece.sanitized)' is in the vocabulary twice, which llama.cpp refuses")
    }
  }

  var unknown: Int? { ids["unknown"].flatMap { vocabulary.pieces.indices.contains($0) ? $0 : nil } }

  /// The special tokens.
  /// - Parameter adds: whether sequences begin with a token if the file does not say.
  func special(addsBeginning adds: Bool) throws -> SpecialTokens {
    for (name, id) in ids where !vocabulary.pieces.indices.contains(id) {
      throw ModelError.unsupported(
        path, "tokenizer.ggml.\(name)_token_id is \(id), which is not in the vocabulary")
    }
    func present(_ id: Int?) -> Int? {
      id.flatMap { vocabulary.pieces.indices.contains($0) ? $0 : nil }
    }
    let defaults = VocabularyKind(model)?.defaultTokens
    let named = ids["bos"] ?? present(defaults?.beginning)
    let endings = [ids["eos"] ?? present(defaults?.ending), ids["eot"], ids["eom"]].compactMap(
      \.self)
    let byName = zip(vocabulary.pieces, kinds).enumerated().compactMap { id, pair in
      pair.1 == Kind.control && Self.endingNames.contains(String(decoding: pair.0, as: UTF8.self))
        ? id : nil
    }
    return SpecialTokens(
      beginning: addsBeginning ?? adds ? named : nil, namedBeginning: named,
      endings: Set(endings + byName))
  }

  private static func added(
    _ pieces: [String], _ kinds: [Int], stripsRight: Bool, _ path: String
  ) throws -> [AddedToken] {
    let searched: Set = [Kind.unknown, Kind.control, Kind.userDefined]
    return try zip(pieces, kinds).enumerated().compactMap { id, pair in
      guard searched.contains(pair.1), !pair.0.isEmpty else { return nil }
      guard pair.0.utf8.count <= AddedTokens.longest else {
        throw ModelError.unsupported(
          path,
          "a special token has \(pair.0.utf8.count) bytes, expected at most \(AddedTokens.longest)")
      }
      let strips = stripsRight && !AbsorbedSpace.exceptions.contains(pair.0)
      return AddedToken(text: Array(pair.0.utf8), id: id, stripsRight: strips)
    }
  }
}

extension GGUFFile {
  /// The scores of all tokens, or nil if the file has none.
  /// - Throws: `ModelError` for a score that is NaN.
  fileprivate borrowing func scores(_ path: String) throws -> [Float]? {
    guard case .array(let array)? = header[key: "tokenizer.ggml.scores"],
      array.elementType == .float32,
      case .inFile(let range) = array.elements
    else { return nil }
    return try (0..<array.count).map { index in
      let score = Float(bitPattern: map.bytes.load(UInt32.self, at: range.lowerBound + index * 4))
      guard !score.isNaN else {
        throw ModelError.unsupported(path, "the score of the token \(index) is not a number")
      }
      return score
    }
  }
}
