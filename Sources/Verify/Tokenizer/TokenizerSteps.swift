/// What a tokenizer does around its model.
struct TokenizerSteps: Sendable {
  var normalizer: Normalizer?
  var pretokenizer: Pretokenizer
  var decoder: PieceDecoder
}

/// The ids that stand for something else than text.
struct SpecialTokens: Sendable {
  var beginning: Int?
  var namedBeginning: Int?
  var endings: Set<Int> = []
}

/// Limits on what a file may ask for, so that a text costs what its length and the file's own justify.
enum TokenizerLimits {
  static let steps = 64
  /// Bytes of what is put before a text, or for a space.
  static let prefix = 64
  /// By how much replacements may lengthen a text.
  static let growth = 1024

  static func check(steps: Int, _ kind: String, _ subject: String) throws {
    guard steps <= Self.steps else { throw VerifyError(subject, "a \(kind) of \(steps) steps") }
  }

  static func check(prefix: [UInt8], _ kind: String, _ subject: String) throws {
    guard prefix.count <= Self.prefix else { throw VerifyError(subject, "a \(kind) of \(prefix.count) bytes") }
  }

  static func check(growth: Int, _ kind: String, _ subject: String) throws {
    guard growth <= Self.growth else { throw VerifyError(subject, "a \(kind) that lengthens texts \(growth) times") }
  }
}
