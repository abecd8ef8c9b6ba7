import Formats
import Patch
import Verify

/// The keys `tokenizer.*` for a folder's tokenizer.
struct VocabularyKeys {
  private(set) var keys: [GGUFKey] = []
  private(set) var remarks: [String] = []

  /// `tokenizer.ggml.token_type`
  private enum Kind: Int32 {
    case normal = 1
    case unknown, control, userDefined, unused, byte
  }

  /// - Parameter config: the language model's part of config.json.
  /// - Throws: `PatchError` or `VerifyError` for a tokenizer that llama.cpp has no means to run.
  init(folder: String, config: JSONValue) throws {
    let file = try TokenizerFile(folder: folder)
    let count = try Self.count(file, config, folder)
    if file.isByteLevel { try addByteLevel(file, count) } else { try addPieces(file, count) }
    let onlyAdded = file.added.map(\.id).filter { file.pieces[$0] == nil }.sorted()
    if !onlyAdded.isEmpty {
      let ids = GGUFArray(integers: onlyAdded.map { Int32($0) })
      keys.append(GGUFKey(ConservedTexts.prefix + "added_only", .array(ids)))
    }
    let names = try SpecialNames(folder: folder, file)
    keys += names.keys(config: config, count: count)
    keys += try ChatTemplates(folder: folder).keys
  }

  /// As many tokens as the embedding has rows.
  private static func count(_ file: TokenizerFile, _ config: JSONValue, _ folder: String) throws -> Int {
    let last = max(file.pieces.keys.max() ?? -1, file.added.map(\.id).max() ?? -1)
    let count = try ConfigNumbers(config: config, path: "\(folder)/config.json").count("vocab_size")
    guard last < count else {
      throw PatchError.unsupported(file.path, "the token \(last), but the model has a vocabulary of \(count)")
    }
    guard count <= 1 << 24 else { throw PatchError.unsupported(folder, "a vocabulary of \(count)") }
    return count
  }

  private mutating func add(_ name: String, _ value: GGUFValue) {
    keys.append(GGUFKey("tokenizer.ggml.\(name)", value))
  }

  private mutating func add(model: String, pre: String, _ tokens: [String], scores: [Float]? = nil, _ kinds: [Kind]) {
    add("model", .string(model))
    add("pre", .string(pre))
    add("tokens", .array(GGUFArray(strings: tokens)))
    if let scores { add("scores", .array(GGUFArray(floats: scores))) }
    add("token_type", .array(GGUFArray(integers: kinds.map(\.rawValue))))
  }

  // MARK: Byte level

  private mutating func addByteLevel(_ file: TokenizerFile, _ count: Int) throws {
    for type in TokenizerFile.types(file.json["normalizer"]) {
      guard type == "NFC" else {
        throw PatchError.unsupported(
          file.path, "the normalizer '\(type.sanitized)': llama.cpp has none for such vocabularies")
      }
      remarks.append("llama.cpp does not bring text into the form NFC, as this tokenizer does")
    }
    let pre = try NamedPretokenizer.name(
      of: file.json["pre_tokenizer"] ?? .null, ignoresMerges: file.json["model"]?["ignore_merges"]?.flag == true,
      subject: file.path)
    let (tokens, kinds) = Self.tokens(file, count) { _ in .normal }
    add(model: "gpt2", pre: pre, tokens, kinds)
    add("merges", .array(GGUFArray(strings: file.merges.map { Self.escaped($0.left) + " " + Self.escaped($0.right) })))
  }

  /// A space in a part of a merge, in the byte alphabet.
  private static func escaped(_ part: String) -> String { part.replacing(" ", with: "\u{120}") }

  /// Gaps are filled with tokens that no text contains.
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

  /// Some models do not mark their control tokens as such.
  private static func looksSpecial(_ text: String) -> Bool {
    ["<pad>", "<mask>", "<2mass>", "[@BOS@]"].contains(text) || text.hasPrefix("<|") && text.hasSuffix("|>")
      || text.hasPrefix("<\u{FF5C}") && text.hasSuffix("\u{FF5C}>") || text.hasPrefix("<unused") && text.hasSuffix(">")
  }

  // MARK: Pieces

  /// SentencePiece's style: llama.cpp merges the pair whose token has the greatest score.
  private mutating func addPieces(_ file: TokenizerFile, _ count: Int) throws {
    guard file.json["model"]?["byte_fallback"]?.flag == true else {
      throw PatchError.unsupported(
        file.path, "neither byte-level nor with byte_fallback: llama.cpp has no such vocabulary")
    }
    let unknown = file.json["model"]?["unk_token"]?.text
    let (tokens, kinds) = Self.tokens(file, count) { piece in
      piece == unknown ? .unknown : piece.wholeMatch(of: /<0x[0-9A-F]{2}>/) != nil ? .byte : .normal
    }
    let scores = try PieceScores(file, count)
    if scores.shared > 0 {
      remarks.append(
        "the merges of \(scores.shared) tokens have others between them: llama.cpp takes the leftmost pair of such tokens first"
      )
    }
    add(model: "llama", pre: "default", tokens, scores: scores.scores, kinds)
    add("add_space_prefix", .bool(try addsPrefix(file)))
    // Scores do not tell the order of the merges that make one token.
    keys.append(
      GGUFKey(
        ConservedTexts.prefix + "merges", .array(GGUFArray(strings: file.merges.map { $0.left + " " + $0.right }))))
  }

  private mutating func addsPrefix(_ file: TokenizerFile) throws -> Bool {
    var adds = false
    for step in TokenizerFile.flattened(file.json["normalizer"]) + TokenizerFile.flattened(file.json["pre_tokenizer"]) {
      switch step["type"]?.text {
      case "Prepend" where step["prepend"]?.text == "\u{2581}": adds = true
      case "Replace" where step["pattern"]?["String"]?.text == " " && step["content"]?.text == "\u{2581}": break
      case "Metaspace":
        let scheme = step["prepend_scheme"]?.text ?? (step["add_prefix_space"]?.flag == false ? "never" : "always")
        adds = scheme != "never"
        remarks.append("llama.cpp puts a space also before a text that begins with one, this tokenizer does not")
        if scheme == "first" {
          remarks.append("llama.cpp puts a space after each special token, this tokenizer only before a text")
        }
      case let type:
        throw PatchError.unsupported(
          file.path, "the step '\((type ?? "none").sanitized)': llama.cpp does not have it for such vocabularies")
      }
    }
    return adds
  }
}

/// Scores that make llama.cpp merge in the order of a list of merges: the pair that makes the token of the greatest score
/// comes first, of several such pairs the leftmost.
struct PieceScores {
  let scores: [Float]
  /// Tokens whose merges have those of others between them, so that one score stands for several.
  let shared: Int

  /// - Throws: `PatchError` for a merge that makes no token.
  init(_ file: TokenizerFile, _ count: Int) throws(PatchError) {
    let ids = Dictionary(file.pieces.map { ($0.value, $0.key) }, uniquingKeysWith: { first, _ in first })
    var spans: [Int: ClosedRange<Int>] = [:]
    for (rank, merge) in file.merges.enumerated() {
      guard let id = ids[merge.left + merge.right] else {
        throw .unsupported(file.path, "the merge '\((merge.left + " " + merge.right).sanitized)' makes no token")
      }
      spans[id] = (spans[id]?.lowerBound ?? rank)...rank
    }
    // Neither merged nor of one character: a token that no text becomes.
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
    for (id, piece) in file.pieces where piece.wholeMatch(of: /<0x[0-9A-F]{2}>/) != nil { scores[id] = 0 }
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
