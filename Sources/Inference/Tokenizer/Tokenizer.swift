import Formats
import Models

/// Converts text to token ids and back, in the steps of the tokenizers library: added tokens are
/// matched, the parts between them are normalized and split into words, and each word becomes
/// tokens.
public struct Tokenizer: Sendable {
  let vocabularyTable: Vocabulary
  /// The added tokens that are matched in the original text.
  let verbatimTokens: AddedTokens
  /// The added tokens that are matched in the normalized text.
  let normalizedTokens: AddedTokens
  let normalizer: Normalizer?
  let pretokenizer: Pretokenizer
  let model: any WordModel
  let decoder: PieceDecoder
  /// The token that begins every sequence, or nil.
  public var beginning: Int?
  /// The token that `Beginning.force` uses, or nil if the model does not name one.
  let namedBeginning: Int?
  /// The tokens that end a generation.
  package let endings: Set<Int>

  /// Whether sequences begin with the beginning token.
  public enum Beginning: String, CaseIterable, Sendable {
    /// If the model says so.
    case auto
    /// Always.
    case force
    /// Never.
    case none
  }

  /// Sets whether sequences begin with the beginning token.
  /// - Throws: `ModelError` if the beginning token is forced but the model does not name one.
  public mutating func set(_ choice: Beginning) throws {
    switch choice {
    case .auto: break
    case .none: beginning = nil
    case .force:
      guard let token = beginning ?? namedBeginning else {
        throw ModelError.unsupported(
          "tokenizer", "the model does not name a beginning token, so it cannot be forced")
      }
      beginning = token
    }
  }

  /// The number of tokens in the vocabulary.
  public var vocabulary: Int { vocabularyTable.pieces.count }

  /// Opens the tokenizer of the model at `path`: `tokenizer.json` of a folder, or the vocabulary of
  /// a GGUF file.
  /// - Throws: `ModelError` for a missing tokenizer or a kind that is not supported; `FormatError`
  ///   or `FileError`.
  public init(path: String) throws {
    self = try ExpressionTrial.$current.withValue(ExpressionTrial()) {
      FileSystem.isFolder(path)
        ? try Tokenizer(folder: path)
        : try Tokenizer(gguf: GGUFFile(path: GGUFSplit.first(of: path)), path: path)
    }
  }

  init(
    _ vocabulary: Vocabulary, added: [AddedToken], _ steps: TokenizerSteps, model: any WordModel,
    special: SpecialTokens
  ) {
    vocabularyTable = vocabulary
    verbatimTokens = AddedTokens(added.filter { !$0.isNormalized })
    normalizedTokens = AddedTokens(
      added.filter(\.isNormalized).map { token in
        var token = token
        token.text = steps.normalizer?.apply(token.text, addsPrefix: true) {} ?? token.text
        return token
      })
    normalizer = steps.normalizer
    pretokenizer = steps.pretokenizer
    self.model = model
    decoder = steps.decoder
    beginning = special.beginning
    namedBeginning = special.beginning ?? special.namedBeginning
    endings = special.endings
  }

  /// The ids of a text, without a beginning token.
  public func encode(_ text: String) -> [Int] {
    encode(Array(text.utf8), isContinuation: false, checkpoint: {})
  }

  /// The ids of a text that may be long.
  /// - Parameter checkpoint: called between pieces of work. An error that it throws ends the work.
  package func encode<E>(_ text: String, checkpoint: () throws(E) -> Void) throws(E) -> [Int] {
    try encode(Array(text.utf8), isContinuation: false, checkpoint: checkpoint)
  }

  /// The ids of a text that continues another one, so that the tokenizer does not put its prefix
  /// before it.
  package func encodeContinuation(_ text: String) -> [Int] {
    encode(Array(text.utf8), isContinuation: true, checkpoint: {})
  }

  private func encode<E>(
    _ text: [UInt8], isContinuation: Bool, checkpoint: () throws(E) -> Void
  ) throws(E) -> [Int] {
    var result: [Int] = []
    var cache = WordCache(model)
    for part in try verbatimTokens.parts(of: text, checkpoint) {
      switch part {
      case .token(let id): result.append(id)
      case .text(let range):
        let isFirst = range.lowerBound == 0
        let place = Pretokenizer.Place(isFirst: isFirst, takesPrefix: !(isFirst && isContinuation))
        try encodeNormalized(Array(text[range]), place, &cache, into: &result, checkpoint)
      }
    }
    return result
  }

  /// Encodes a part between tokens that were matched in the original text.
  private func encodeNormalized<E>(
    _ text: [UInt8], _ place: Pretokenizer.Place, _ cache: inout WordCache,
    into result: inout [Int], _ checkpoint: () throws(E) -> Void
  ) throws(E) {
    let normal =
      try normalizer?.apply(text, addsPrefix: place.takesPrefix, checkpoint) ?? text
    for part in try normalizedTokens.parts(of: normal, checkpoint) {
      switch part {
      case .token(let id): result.append(id)
      case .text(let range):
        let isAtStart = range.lowerBound == 0
        let inner = Pretokenizer.Place(
          isFirst: place.isFirst && isAtStart, takesPrefix: place.takesPrefix || !isAtStart)
        let (words, ranges) = try pretokenizer.words(of: Array(normal[range]), inner, checkpoint)
        for (number, word) in ranges.enumerated() {
          if number % 1024 == 0 { try checkpoint() }
          result += try cache.encode(words[word], checkpoint)
        }
      }
    }
  }

  /// The bytes of one token; empty for an unknown id.
  public func bytes(of id: Int) -> [UInt8] {
    guard vocabularyTable.pieces.indices.contains(id) else { return [] }
    return decoder.bytes(of: vocabularyTable.pieces[id], id)
  }

  /// The text of some ids.
  ///
  /// Invalid UTF-8 is repaired.
  public func decode(_ ids: [Int]) -> String {
    String(decoding: decoder.strip(ids.flatMap(bytes)), as: UTF8.self)
  }
}

extension GGUFSplit {
  /// The first shard of the model at `path`, which contains the vocabulary.
  fileprivate static func first(of path: String) -> String {
    let first = GGUFSplit(containing: path)?.paths.first ?? path
    return FileSystem.exists(first) ? first : path
  }
}
