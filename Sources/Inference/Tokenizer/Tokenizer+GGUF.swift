import Formats
import Models

/// Reads the vocabulary of a GGUF file: `llama` (SentencePiece's pieces and scores) or `gpt2`
/// (byte-level byte-pair encoding).
extension Tokenizer {
  init(gguf file: borrowing GGUFFile, path: String) throws {
    let table = try GGUFVocabulary(file, path: path)
    switch VocabularyKind(table.model) {
    case .pieces: try self.init(pieces: table)
    case .merges: try self.init(merges: table, try file.strings("tokenizer.ggml.merges"))
    case nil:
      throw ModelError.unsupported(
        path,
        "a vocabulary of the kind '\(table.model ?? "none")' is not supported, expected \(VocabularyKind.list)"
      )
    }
  }

  /// A `llama` vocabulary.
  ///
  /// Spaces become word marks, and one is put before the text and after each added token.
  private init(pieces table: GGUFVocabulary) throws {
    let vocabulary = table.vocabulary
    guard let scores = table.scores, scores.count == vocabulary.pieces.count else {
      throw ModelError.unsupported(table.path, "the vocabulary does not have one score per token")
    }
    let addsPrefix = table.addsPrefix ?? true
    let spaces = Normalizer.replace(.text([0x20]), WordMark.bytes)
    let decoder = PieceDecoder(
      hasByteTokens: true, replacements: [(WordMark.bytes, [0x20])],
      stripsSpaces: addsPrefix ? 1 : 0, verbatim: table.verbatim)
    self.init(
      vocabulary, added: table.added,
      TokenizerSteps(
        normalizer: .sequence((addsPrefix ? [.prepend(WordMark.bytes)] : []) + [spaces]),
        pretokenizer: Pretokenizer(vocabulary.splitsBeforeMarks ? [.splitBeforeMarks] : []),
        decoder: decoder),
      model: ScoredPieces(vocabulary, scores: scores, unknown: table.unknown ?? 0),
      special: try table.special(addsBeginning: true))
  }

  /// A `gpt2` vocabulary.
  private init(merges table: GGUFVocabulary, _ merges: [String]?) throws {
    let name = table.pre ?? "default"
    guard let pre = NamedPretokenizer(name) else {
      throw ModelError.unsupported(table.path, "the pre-tokenizer '\(name)' is not supported")
    }
    guard let merges else {
      throw ModelError.unsupported(table.path, "the vocabulary has no merges")
    }
    let options = RankedMerges.Options(isByteLevel: true, ignoresMerges: pre.ignoresMerges)
    let pairs = try merges.map { merge in
      let bytes = Array(merge.utf8)
      // The first part may begin with a space.
      guard let space = bytes.dropFirst().firstIndex(of: 0x20) else {
        throw ModelError.unsupported(table.path, "the merge '\(merge)' is not a pair")
      }
      return (left: bytes[..<space], right: bytes[(space + 1)...])
    }
    self.init(
      table.vocabulary, added: table.added,
      TokenizerSteps(
        pretokenizer: try pre.pretokenizer(subject: table.path),
        decoder: PieceDecoder(isByteLevel: true, verbatim: table.verbatim)),
      model: try RankedMerges(pairs, table.vocabulary, options, subject: table.path),
      special: try table.special(addsBeginning: pre.addsBeginning))
  }
}
