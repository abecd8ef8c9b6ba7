import Formats

/// Text to token ids and back.
public struct Tokenizer: Sendable {
  let pieces: [String]
  let ids: [String: Int]
  let pretokenizer: Pretokenizer
  let merges: MergeTable
  /// Tokens that are found in the text before anything else, longest first.
  let addedTokens: [(text: String, id: Int)]
  /// The token that begins a sequence, where the model wants one.
  public var beginning: Int?
  /// The token that the model would begin with if it wanted one.
  let namedBeginning: Int?
  /// Tokens that end what is generated.
  let endings: Set<Int>

  /// Whether sequences begin with the beginning token.
  public enum Beginning: String, CaseIterable, Sendable {
    /// As the model wants it.
    case auto
    case force
    case none
  }

  /// - Throws: `VerifyError` where the beginning token is forced and the model names none.
  public mutating func set(_ choice: Beginning) throws {
    switch choice {
    case .auto: break
    case .none: beginning = nil
    case .force:
      guard let token = beginning ?? namedBeginning else {
        throw VerifyError("tokenizer", "the model names no beginning token, so none can be forced")
      }
      beginning = token
    }
  }

  public var vocabulary: Int { pieces.count }

  /// Opens the tokenizer of the model at `path`: `tokenizer.json` in a folder, or the vocabulary in a GGUF file.
  /// - Throws: `VerifyError` for a kind of tokenizer that is not supported.
  public init(path: String) throws {
    self =
      FileSystem.isFolder(path)
      ? try Tokenizer(json: JSONDocument(path: "\(path)/tokenizer.json", limit: 64 << 20).value, path: path)
      : try Tokenizer(gguf: GGUFFile(path: GGUFSplit.first(of: path)), path: path)
  }

  init(
    pieces: [String], pretokenizer: Pretokenizer, merges: MergeTable,
    addedTokens: [(text: String, id: Int)], beginning: Int?, namedBeginning: Int? = nil, endings: Set<Int> = []
  ) {
    self.pieces = pieces
    ids = Dictionary(pieces.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    self.pretokenizer = pretokenizer
    self.merges = merges
    self.addedTokens = addedTokens.sorted { $0.text.utf8.count > $1.text.utf8.count }
    self.beginning = beginning
    self.namedBeginning = namedBeginning
    self.endings = endings
  }

  /// The ids of a text, without a beginning token.
  public func encode(_ text: String) -> [Int] {
    var result: [Int] = []
    var rest = text[...]
    while !rest.isEmpty {
      guard let (range, id) = nextAddedToken(in: rest) else {
        result += encodePlain(String(rest))
        break
      }
      result += encodePlain(String(rest[..<range.lowerBound]))
      result.append(id)
      rest = rest[range.upperBound...]
    }
    return result
  }

  /// The ids of a text that goes on after another, which no prefix of the tokenizer's own may come before.
  func encodeContinuation(_ text: String) -> [Int] { encode(text) }

  private func nextAddedToken(in text: Substring) -> (Range<Substring.Index>, Int)? {
    var best: (Range<Substring.Index>, Int)?
    for token in addedTokens {
      guard let range = text.firstRange(of: token.text) else { continue }
      if best.map({ range.lowerBound < $0.0.lowerBound }) ?? true { best = (range, token.id) }
    }
    return best
  }

  private func encodePlain(_ text: String) -> [Int] {
    pretokenizer.split(text).flatMap { merges.encode($0) }
  }

  /// The bytes of one token.
  public func bytes(of id: Int) -> [UInt8] {
    guard pieces.indices.contains(id) else { return [] }
    return ByteAlphabet.bytes(of: pieces[id])
  }

  public func decode(_ ids: [Int]) -> String {
    String(decoding: ids.flatMap(bytes), as: UTF8.self)
  }
}

extension GGUFSplit {
  /// The first shard of the model that `path` belongs to: it holds the vocabulary.
  fileprivate static func first(of path: String) -> String {
    let first = GGUFSplit(containing: path)?.paths.first ?? path
    return FileSystem.exists(first) ? first : path
  }
}
