import Formats
import Patch

/// A factor set on one line, as a checkpoint keeps it.
extension FactorSet {
  var canonicalText: String { String(decoding: JSONStyle.compact.encode(json), as: UTF8.self) }

  /// - Throws: `ModelError` or `FormatError` for text that `canonicalText` does not give.
  init(canonicalText text: String) throws {
    try self.init(
      json: JSONDocument(parsing: Array(text.utf8)).value, subject: "the checkpoint")
  }
}
