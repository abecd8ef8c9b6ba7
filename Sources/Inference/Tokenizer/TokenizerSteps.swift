import Models

/// The steps of a tokenizer before and after its model.
struct TokenizerSteps: Sendable {
  var normalizer: Normalizer?
  var pretokenizer: Pretokenizer
  var decoder: PieceDecoder
}

/// The tokens that begin and end sequences.
struct SpecialTokens: Sendable {
  /// The token that begins every sequence, or nil.
  var beginning: Int?
  /// The token that would begin sequences if that is forced, or nil.
  var namedBeginning: Int?
  /// The tokens that end a generation.
  var endings: Set<Int> = []
}

/// Limits for the steps of a tokenizer, so that a hostile file cannot make encoding arbitrarily
/// slow.
enum TokenizerLimits {
  /// The largest number of steps.
  static let steps = 64
  /// The largest number of bytes in a prefix, or in a replacement for a space.
  static let prefix = 64
  /// The largest factor by which replacements may lengthen a text.
  static let growth = 1024
  /// The largest number of tokens.
  ///
  /// The largest vocabularies of published models have a quarter of a million.
  static let tokens = 1 << 21

  static func check(tokens: Int, _ subject: String) throws {
    guard tokens <= Self.tokens else {
      throw ModelError.unsupported(
        subject, "the vocabulary has \(tokens) tokens, expected at most \(Self.tokens)")
    }
  }

  static func check(steps: Int, _ kind: String, _ subject: String) throws {
    guard steps <= Self.steps else {
      throw ModelError.unsupported(
        subject, "the \(kind) has \(steps) steps, expected at most \(Self.steps)")
    }
  }

  static func check(prefix: [UInt8], _ kind: String, _ subject: String) throws {
    guard prefix.count <= Self.prefix else {
      throw ModelError.unsupported(
        subject, "the \(kind) has \(prefix.count) bytes, expected at most \(Self.prefix)")
    }
  }

  static func check(growth: Int, _ kind: String, _ subject: String) throws {
    guard growth <= Self.growth else {
      throw ModelError.unsupported(
        subject, "the \(kind) can lengthen a text more than \(Self.growth) times")
    }
  }
}
