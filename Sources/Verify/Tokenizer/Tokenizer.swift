import Formats

/// Text to token ids and back, in the steps of the tokenizers library: added tokens are found, what is between them is
/// normalized and cut into words, and each word becomes tokens.
public struct Tokenizer: Sendable {
  let vocabularyTable: Vocabulary
  /// Those that are looked for in the text as it is, and those in the normalized text.
  let verbatimTokens: AddedTokens
  let normalizedTokens: AddedTokens
  let normalizer: Normalizer?
  let pretokenizer: Pretokenizer
  let model: any WordModel
  let decoder: PieceDecoder
  /// The token that begins a sequence, where the model wants one.
  public var beginning: Int?
  /// The token that the model would begin with if it wanted one.
  let namedBeginning: Int?
  /// Tokens that end what is generated.
  package let endings: Set<Int>

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

  public var vocabulary: Int { vocabularyTable.pieces.count }

  /// Opens the tokenizer of the model at `path`: `tokenizer.json` in a folder, or the vocabulary in a GGUF file.
  /// - Throws: `VerifyError` for a kind of tokenizer that is not supported.
  public init(path: String) throws {
    self =
      FileSystem.isFolder(path)
      ? try Tokenizer(folder: path)
      : try Tokenizer(gguf: GGUFFile(path: GGUFSplit.first(of: path)), path: path)
  }

  init(
    _ vocabulary: Vocabulary, added: [AddedToken], _ steps: TokenizerSteps, model: any WordModel, special: SpecialTokens
  ) {
    vocabularyTable = vocabulary
    verbatimTokens = AddedTokens(added.filter { !$0.isNormalized })
    normalizedTokens = AddedTokens(
      added.filter(\.isNormalized).map { token in
        var token = token
        token.text = steps.normalizer?.apply(token.text, addsPrefix: true) ?? token.text
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
  public func encode(_ text: String) -> [Int] { encode(Array(text.utf8), isContinuation: false) }

  /// The ids of a text that goes on after another, so that no prefix of the tokenizer's own comes before it.
  func encodeContinuation(_ text: String) -> [Int] { encode(Array(text.utf8), isContinuation: true) }

  private func encode(_ text: [UInt8], isContinuation: Bool) -> [Int] {
    var result: [Int] = []
    var cache = WordCache(model)
    for part in verbatimTokens.parts(of: text) {
      switch part {
      case .token(let id): result.append(id)
      case .text(let range):
        let isFirst = range.lowerBound == 0
        let place = Pretokenizer.Place(isFirst: isFirst, takesPrefix: !(isFirst && isContinuation))
        encodeNormalized(Array(text[range]), place, &cache, into: &result)
      }
    }
    return result
  }

  /// A stretch between tokens that were found in the text as it is.
  private func encodeNormalized(
    _ text: [UInt8], _ place: Pretokenizer.Place, _ cache: inout WordCache, into result: inout [Int]
  ) {
    let normal = normalizer?.apply(text, addsPrefix: place.takesPrefix) ?? text
    for part in normalizedTokens.parts(of: normal) {
      switch part {
      case .token(let id): result.append(id)
      case .text(let range):
        let isAtStart = range.lowerBound == 0
        let inner = Pretokenizer.Place(
          isFirst: place.isFirst && isAtStart, takesPrefix: place.takesPrefix || !isAtStart)
        let (words, ranges) = pretokenizer.words(of: Array(normal[range]), inner)
        for word in ranges { result += cache.encode(words[word]) }
      }
    }
  }

  /// The bytes of one token.
  public func bytes(of id: Int) -> [UInt8] {
    guard vocabularyTable.pieces.indices.contains(id) else { return [] }
    return decoder.bytes(of: vocabularyTable.pieces[id], id)
  }

  public func decode(_ ids: [Int]) -> String {
    String(decoding: decoder.strip(ids.flatMap(bytes)), as: UTF8.self)
  }
}

extension GGUFSplit {
  /// The first shard of the model that `path` belongs to: it holds the vocabulary.
  fileprivate static func first(of path: String) -> String {
    let first = GGUFSplit(containing: path)?.paths.first ?? path
    return FileSystem.exists(first) ? first : path
  }
}
