import ArgumentParser
import Formats
import Patch
import Verify

/// A part of the texts: `1/2`.
struct TextPart: ExpressibleByArgument, CustomStringConvertible {
  var number = 1
  var count = 1

  var description: String { "\(number)/\(count)" }

  init() {}

  init?(argument: String) {
    let fields = argument.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
    guard fields.count == 2, let number = fields[0], let count = fields[1], count <= 1_000_000, number >= 1,
      number <= count
    else { return nil }
    (self.number, self.count) = (number, count)
  }
}

/// A text for documents, as tokens.
struct SearchText {
  let tokens: [Int]
  let sha256: String

  /// - Parameter path: of a text, or of a JSON list of tokens; empty for the text that ships with the program.
  init(_ path: String, _ tokenizer: Tokenizer) throws {
    let bytes = path.isEmpty ? Array(try ShippedText.text().utf8) : try FileSystem.contents(of: path)
    sha256 = Formats.sha256(bytes)
    guard path.hasSuffix(".json") else {
      tokens = tokenizer.encode(try FileSystem.text(bytes, of: path))
      return
    }
    guard let numbers = (try? JSONDocument(parsing: bytes))?.value.doubles else {
      throw PatchError.unsupported(path, "no list of tokens")
    }
    guard let wrong = numbers.first(where: { !(0..<Double(tokenizer.vocabulary)).contains($0) || $0 != $0.rounded() })
    else {
      tokens = numbers.map { Int($0) }
      return
    }
    throw PatchError.unsupported(path, "\(InspectReport.number(wrong)) is no token; there are \(tokenizer.vocabulary)")
  }
}
