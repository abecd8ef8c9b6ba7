import Formats
public import Models
import Verify

/// SHA256SUMS: one line for each file, a SHA-256 in hexadecimal, two spaces, and a name. A name
/// with a backslash or a line end is escaped, and a backslash before the line says so.
extension ModelManifest {
  /// The text that `sha256sum` writes and `sha256sum -c` reads.
  public var sums: String {
    // By scalars: a carriage return and a line feed are one character to Swift.
    let escapes: [Unicode.Scalar: String] = ["\\": "\\\\", "\n": "\\n", "\r": "\\r"]
    return files.map { file in
      let isPlain = !file.name.unicodeScalars.contains { escapes[$0] != nil }
      let name = file.name.unicodeScalars.map { escapes[$0] ?? String($0) }.joined()
      return "\(isPlain ? "" : "\\")\(file.sha256)  \(name)\n"
    }.joined()
  }

  /// The differences from saved sums, one line each.
  ///
  /// Names are compared by their bytes.
  /// - Throws: `ModelError` for a line that `sha256sum` cannot have written, and for a name that is
  ///   listed twice.
  public func differences(from sums: [UInt8], _ subject: String) throws(ModelError) -> [String] {
    let expected = try Self.entries(sums, subject)
    let found = Dictionary(files.map { (Array($0.name.utf8), $0.sha256) }) { first, _ in first }
    let names = Set(expected.keys).union(found.keys).sorted { $0.lexicographicallyPrecedes($1) }
    return names.compactMap { name in
      let shown = String(decoding: name, as: UTF8.self).sanitized
      switch (expected[name], found[name]) {
      case (let old?, let new?): return old == new ? nil : "\(shown): differs"
      case (nil, _): return "\(shown): is not listed"
      default: return "\(shown): is missing"
      }
    }
  }

  /// Whether a file holds sums that `sha256sum` can have written.
  static func areSums(at path: String) throws -> Bool {
    let bytes = try FileSystem.contents(of: path, limit: 64 << 20)
    return (try? entries(bytes, path)) != nil
  }

  /// Hashes by name.
  private static func entries(
    _ sums: [UInt8], _ subject: String
  ) throws(ModelError) -> [[UInt8]: String] {
    var entries: [[UInt8]: String] = [:]
    for (index, line) in sums.split(separator: UInt8(ascii: "\n")).enumerated() {
      let place = "\(subject): line \(index + 1)"
      guard let (name, hash) = entry(line) else {
        throw .unsupported(
          place, "not a line of sha256sum, expected 64 hexadecimal digits and a name")
      }
      guard entries.updateValue(hash, forKey: name) == nil else {
        let shown = String(decoding: name, as: UTF8.self).sanitized
        throw .unsupported(place, "'\(shown)' is listed twice")
      }
    }
    return entries
  }

  /// The name and the hash of one line, or nil if `sha256sum` cannot have written it.
  static func entry(_ line: ArraySlice<UInt8>) -> (name: [UInt8], hash: String)? {
    let isEscaped = line.first == UInt8(ascii: "\\")
    let rest = isEscaped ? line.dropFirst() : line
    let digits = rest.prefix(64)
    guard digits.count == 64, digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }) else {
      return nil
    }
    // A space, then a space for text mode or an asterisk for binary mode.
    let tail = rest.dropFirst(64)
    guard tail.count > 2, tail.first == UInt8(ascii: " "),
      [UInt8(ascii: " "), UInt8(ascii: "*")].contains(tail.dropFirst().first ?? 0)
    else { return nil }
    let name = tail.dropFirst(2)
    let hash = String(decoding: digits, as: UTF8.self).lowercased()
    return (isEscaped ? unescaped(name) : Array(name), hash)
  }

  private static func unescaped(_ name: ArraySlice<UInt8>) -> [UInt8] {
    var plain: [UInt8] = []
    var isEscape = false
    for byte in name {
      if isEscape {
        plain.append(byte == UInt8(ascii: "n") ? 0x0A : byte == UInt8(ascii: "r") ? 0x0D : byte)
        isEscape = false
      } else if byte == UInt8(ascii: "\\") {
        isEscape = true
      } else {
        plain.append(byte)
      }
    }
    return plain
  }
}
