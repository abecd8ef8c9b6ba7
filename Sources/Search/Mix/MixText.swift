import Formats
package import Inference
import Models
import Patch
import Verify

/// The documents of a text file, as tokens.
package struct MixText {
  package let name: String
  package let sha256: String
  package let documents: [[Int]]
  /// What a user should know about the text, or nil.
  package let remark: String?

  /// - Throws: `ModelError` for a file without text, `FormatError` for one that is not UTF-8,
  ///   `FileError`.
  package init(_ path: String, _ tokenizer: Tokenizer) throws {
    let bytes = try FileSystem.contents(of: path)
    name = FileSystem.name(of: path)
    sha256 = Formats.sha256(bytes)
    var texts: [String] = []
    if path.hasSuffix(".jsonl") {
      for (index, line) in bytes.split(separator: 0x0A).enumerated() {
        guard let text = (try? JSONDocument(parsing: Array(line)))?.value["text"]?.text else {
          throw ModelError.unsupported(path, "line \(index + 1) has no string in the member 'text'")
        }
        texts.append(text)
      }
    } else {
      texts = [try FileSystem.text(bytes, of: path)]
    }
    remark = texts.lazy.compactMap { LineEnds.remark($0.utf8, name: path) }.first
    documents = texts.map { tokenizer.encode($0) }.filter { !$0.isEmpty }
    guard !documents.isEmpty else {
      throw ModelError.unsupported(path, "the file has no text")
    }
  }
}
