import Models

extension CardMetadata {
  /// Refuses YAML that the parser would handle badly and that no card needs.
  ///
  /// The parser recurses as deep as the text is nested, and copies the value of every alias.
  func checkComplexity() throws(ModelError) {
    let source = text.text
    guard source.utf8.count <= 1 << 20 else {
      throw .unsupported(subject, "the YAML is larger than a mebibyte")
    }
    try checkLineEnds(Array(source.unicodeScalars))
    try checkDepth(source)
    let anchors = Set(source.matches(of: /(?:^|[\s\[{,:?-])&([^\s\[\]{},]+)/).map(\.1))
    let aliases = source.matches(of: /(?:^|[\s\[{,:?-])\*([^\s\[\]{},]+)/).map(\.1)
    guard !aliases.contains(where: { anchors.contains($0) }) else {
      throw .unsupported(subject, "the YAML has aliases, which are not edited")
    }
  }

  private func checkLineEnds(_ scalars: [Unicode.Scalar]) throws(ModelError) {
    for (index, scalar) in scalars.enumerated() {
      let isLast = index + 1 == scalars.count
      let isLoneReturn = scalar == "\r" && (isLast || scalars[index + 1] != "\n")
      guard !isLoneReturn, !["\u{85}", "\u{2028}", "\u{2029}"].contains(scalar) else {
        let code = String(scalar.value, radix: 16, uppercase: true)
        throw .unsupported(
          subject,
          "the YAML has a line end other than LF and CRLF (U+\(code)), which is not edited")
      }
    }
  }

  private func checkDepth(_ source: String) throws(ModelError) {
    var depth = 0
    for byte in source.utf8 {
      if byte == UInt8(ascii: "[") || byte == UInt8(ascii: "{") { depth += 1 }
      if byte == UInt8(ascii: "]") || byte == UInt8(ascii: "}") { depth -= 1 }
      guard depth <= Self.greatestDepth else { throw tooDeep }
    }
    for line in text.lines {
      let marks = line.prefix { " -?".contains($0) }.count { $0 != " " }
      guard marks <= Self.greatestDepth else { throw tooDeep }
    }
  }

  private static let greatestDepth = 100

  private var tooDeep: ModelError {
    .unsupported(subject, "the YAML is nested deeper than \(Self.greatestDepth) levels")
  }
}
