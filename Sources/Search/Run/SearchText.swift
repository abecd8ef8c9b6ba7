import Formats
package import Inference
import Models
import Patch
import Verify

/// The tokens of a text for documents.
package struct SearchText {
  package let tokens: [Int]
  package let sha256: String
  /// What a user should know about the text, or nil.
  package let remark: String?

  /// - Parameter path: the path of a text or of a JSON list of tokens; empty for the text that
  ///   comes with the library.
  /// - Throws: `ModelError` for a list with anything but tokens; `FormatError` for a text that is
  ///   not UTF-8; `FileError`.
  package init(_ path: String, _ tokenizer: Tokenizer) throws {
    let bytes =
      path.isEmpty
      ? Array(try ShippedText.text().utf8) : try FileSystem.contents(of: path)
    sha256 = Formats.sha256(bytes)
    remark = path.isEmpty ? nil : LineEnds.remark(bytes, name: path)
    tokens =
      path.hasSuffix(".json")
      ? try Self.tokens(bytes, path, below: tokenizer.vocabulary)
      : tokenizer.encode(try FileSystem.text(bytes, of: path))
  }

  private static func tokens(
    _ bytes: [UInt8], _ path: String, below vocabulary: Int
  ) throws -> [Int] {
    guard let elements = (try? JSONDocument(parsing: bytes))?.value.elements else {
      throw ModelError.unsupported(path, "not a JSON list of tokens")
    }
    return try elements.map { element in
      guard let token = element.integer, (0..<vocabulary).contains(token) else {
        throw ModelError.unsupported(
          path, "\(element.summary) is not a token: expected 0 to \(vocabulary - 1)")
      }
      return token
    }
  }
}
