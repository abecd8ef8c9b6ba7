import Formats
import Inference
import Models
import Patch

/// The keys `tokenizer.*` for the tokenizer of a folder.
struct VocabularyKeys {
  private(set) var keys: [GGUFKey] = []
  private(set) var remarks: [String] = []
  /// A token that llama.cpp requires of a model with Phi-3's name but that is missing.
  private(set) var missingPhi3Token: String?

  /// The values of `tokenizer.ggml.token_type`.
  private enum Kind: Int32 {
    case normal = 1
    case unknown, control, userDefined, unused, byte
  }

  /// - Throws: `ModelError` for a tokenizer that llama.cpp cannot run.
  init(folder model: ModelFolder) throws {
    let folder = model.path
    let file = try TokenizerFile(folder: folder)
    let count = try Self.count(file, model)
    let texts = Set(file.pieces.values).union(file.added.map(\.text))
    missingPhi3Token = AbsorbedSpace.exceptions.subtracting(texts).min()
    if file.isByteLevel { try addByteLevel(file, count) } else { try addPieces(file, count) }
    let onlyAdded = file.added.map(\.id).filter { file.pieces[$0] == nil }.sorted()
    if !onlyAdded.isEmpty {
      let ids = GGUFArray(integers: onlyAdded.map { Int32($0) })
      keys.append(GGUFKey(PreservedConfigs.prefix + "added_only", .array(ids)))
    }
    let names = try SpecialNames(folder: folder, file)
    let special = names.keys(config: model.textConfig, count: count)
    let ending = special.first { $0.name == "tokenizer.ggml.eos_token_id" }?.value.integer
    let generation = try GenerationKeys(
      folder: folder, config: model.textConfig, ending: ending, count: count)
    let templates = try ChatTemplates(folder: folder)
    keys += special + generation.keys + templates.keys
    remarks += generation.remarks + templates.remarks
  }

  /// The number of tokens, which equals the number of rows of the embedding.
  private static func count(_ file: TokenizerFile, _ model: ModelFolder) throws -> Int {
    let last = max(file.pieces.keys.max() ?? -1, file.added.map(\.id).max() ?? -1)
    let count = try model.vocabulary
    guard last < count else {
      let text = file.added.first { $0.id == last }?.text ?? file.pieces[last]
      let name = text.map { " ('\($0.sanitized)')" } ?? ""
      throw ModelError.unsupported(
        file.path,
        "the tokenizer has a token \(last)\(name), but the model's vocabulary has \(count) tokens; add rows with transformers' resize_token_embeddings, or remove the token from \(TokenizerFile.name)"
      )
    }
    guard count <= 1 << 24 else {
      throw ModelError.unsupported(
        model.path, "the vocabulary has \(count) tokens, expected at most \(1 << 24)")
    }
    return count
  }

  private mutating func add(_ name: String, _ value: GGUFValue) {
    keys.append(GGUFKey("tokenizer.ggml.\(name)", value))
  }

  private mutating func add(
    _ kind: VocabularyKind, pre: String, _ tokens: [String], scores: [Float]? = nil, _ kinds: [Kind]
  ) {
    add("model", .string(kind.rawValue))
    add("pre", .string(pre))
    add("tokens", .array(GGUFArray(strings: tokens)))
    if let scores { add("scores", .array(GGUFArray(floats: scores))) }
    add("token_type", .array(GGUFArray(integers: kinds.map(\.rawValue))))
  }

  // MARK: Byte level

  private mutating func addByteLevel(_ file: TokenizerFile, _ count: Int) throws {
    for type in TokenizerFile.types(file.json["normalizer"]) {
      guard type == "NFC" else {
        throw ModelError.unsupported(
          file.path,
          "the normalizer '\(type.sanitized)' is not supported: llama.cpp has none for byte-level vocabularies"
        )
      }
      remarks.append("llama.cpp does not normalize text to NFC, but this tokenizer does")
    }
    let pre = try NamedPretokenizer.name(
      of: file.json["pre_tokenizer"] ?? .null,
      ignoresMerges: file.json["model"]?["ignore_merges"]?.flag == true,
      subject: file.path)
    let (tokens, kinds) = Self.tokens(file, count) { _ in .normal }
    add(.merges, pre: pre, tokens, kinds)
    add(
      "merges",
      .array(
        GGUFArray(strings: file.merges.map { Self.escaped($0.left) + " " + Self.escaped($0.right) })
      ))
  }

  /// A part of a merge with spaces in the byte alphabet.
  private static func escaped(_ part: String) -> String { part.replacing(" ", with: "\u{120}") }

  /// All tokens and their kinds.
  ///
  /// Gaps are filled with unused tokens.
  private static func tokens(
    _ file: TokenizerFile, _ count: Int, kind: (String) -> Kind
  ) -> ([String], [Kind]) {
    var tokens = (0..<count).map { "[PAD\($0)]" }
    var kinds = Array(repeating: Kind.unused, count: count)
    for (id, piece) in file.pieces {
      tokens[id] = piece
      kinds[id] = kind(piece)
    }
    for token in file.added where kinds[token.id] != .unknown {
      let isControl = token.isSpecial || looksSpecial(token.text)
      tokens[token.id] = isControl ? token.text : token.text.replacing("\u{2581}", with: " ")
      kinds[token.id] = isControl ? .control : .userDefined
    }
    return (tokens, kinds)
  }

  /// Whether a text looks like a control token.
  ///
  /// Some models do not mark their control tokens.
  private static func looksSpecial(_ text: String) -> Bool {
    ["<pad>", "<mask>", "<2mass>", "[@BOS@]"].contains(text)
      || text.hasPrefix("<|") && text.hasSuffix("|>")
      || text.hasPrefix("<\u{FF5C}") && text.hasSuffix("\u{FF5C}>")
      || text.hasPrefix("<unused") && text.hasSuffix(">")
  }

  // MARK: Pieces

  /// Adds a vocabulary in SentencePiece's style: llama.cpp merges the pair with the highest score.
  private mutating func addPieces(_ file: TokenizerFile, _ count: Int) throws {
    guard file.json["model"]?["byte_fallback"]?.flag == true else {
      throw ModelError.unsupported(
        file.path,
        "the tokenizer is neither byte-level nor has byte_fallback: llama.cpp has no such vocabulary"
      )
    }
    let unknown = file.json["model"]?["unk_token"]?.text
    let (tokens, kinds) = Self.tokens(file, count) { piece in
      piece == unknown ? .unknown : piece.wholeMatch(of: /<0x[0-9A-F]{2}>/) != nil ? .byte : .normal
    }
    let scores = try PieceScores(file, count)
    if scores.shared > 0 {
      remarks.append(
        "the merges of \(scores.shared) tokens overlap in rank: llama.cpp merges the leftmost pair of such tokens first"
      )
    }
    add(.pieces, pre: "default", tokens, scores: scores.scores, kinds)
    add("add_space_prefix", .bool(try addsPrefix(file)))
    // Scores do not determine the order of merges that form the same token.
    keys.append(
      GGUFKey(
        PreservedConfigs.prefix + "merges",
        .array(GGUFArray(strings: file.merges.map { $0.left + " " + $0.right }))))
  }

  private mutating func addsPrefix(_ file: TokenizerFile) throws -> Bool {
    var adds = false
    for step in TokenizerFile.flattened(file.json["normalizer"])
      + TokenizerFile.flattened(file.json["pre_tokenizer"])
    {
      switch step["type"]?.text {
      case "Prepend" where step["prepend"]?.text == "\u{2581}": adds = true
      case "Replace"
      where step["pattern"]?["String"]?.text == " " && step["content"]?.text == "\u{2581}": break
      case "Metaspace":
        let scheme =
          step["prepend_scheme"]?.text
          ?? (step["add_prefix_space"]?.flag == false ? "never" : "always")
        adds = scheme != "never"
        remarks.append(
          "llama.cpp also puts a space before a text that begins with one; this tokenizer does not")
        if scheme == "first" {
          remarks.append(
            "llama.cpp puts a space after each special token; this tokenizer only before a text")
        }
      case let type:
        throw ModelError.unsupported(
          file.path,
          "the step '\((type ?? "none").sanitized)' is not supported: llama.cpp lacks it for vocabularies with scores"
        )
      }
    }
    return adds
  }
}

/// Scores that make llama.cpp merge in the order of a list of merges.
///
/// llama.cpp first merges the pair that forms the token with the highest score, and the leftmost
/// one of several such pairs.
struct PieceScores {
  let scores: [Float]
  /// The number of tokens that share their score with others, because their merges overlap in rank.
  let shared: Int

  /// - Throws: `ModelError` for a merge that does not form a token.
  init(_ file: TokenizerFile, _ count: Int) throws(ModelError) {
    let ids = Dictionary(
      file.pieces.map { ($0.value, $0.key) }, uniquingKeysWith: { first, _ in first })
    var spans: [Int: ClosedRange<Int>] = [:]
    for (rank, merge) in file.merges.enumerated() {
      guard let id = ids[merge.left + merge.right] else {
        throw .unsupported(
          file.path,
          "the merge '\((merge.left + " " + merge.right).sanitized)' does not form a token")
      }
      spans[id] = (spans[id]?.lowerBound ?? rank)...rank
    }
    // The score of a token that is neither merged nor a single byte: no text contains it.
    var scores = Array(repeating: Float(-1e9), count: count)
    var (score, end, size, shared) = (0, -1, 0, 0)
    for (id, span) in spans.sorted(by: { $0.value.lowerBound < $1.value.lowerBound }) {
      if span.lowerBound > end {
        score -= 1
        size = 0
      }
      size += 1
      if size > 1 { shared += size == 2 ? 2 : 1 }
      scores[id] = Float(score)
      end = max(end, span.upperBound)
    }
    for (id, piece) in file.pieces where piece.wholeMatch(of: /<0x[0-9A-F]{2}>/) != nil {
      scores[id] = 0
    }
    self.scores = scores
    self.shared = shared
  }
}

extension GGUFArray {
  init(strings: [String]) {
    var writer = ByteWriter()
    for text in strings { writer.write(string: text) }
    self.init(elementType: .string, count: strings.count, elements: .bytes(writer.bytes))
  }

  init(floats: [Float]) {
    var writer = ByteWriter()
    for value in floats { writer.write(value) }
    self.init(elementType: .float32, count: floats.count, elements: .bytes(writer.bytes))
  }

  init(integers: [Int32]) {
    var writer = ByteWriter()
    for value in integers { writer.write(value) }
    self.init(elementType: .int32, count: integers.count, elements: .bytes(writer.bytes))
  }
}
