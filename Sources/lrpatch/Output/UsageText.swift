extension String {
  /// The text with its lines of usage, which the parser does not wrap, broken between options.
  func wrappingUsage(columns: Int) -> String {
    let lines = split(separator: "\n", omittingEmptySubsequences: false)
    return lines.map { line in
      line.lowercased().hasPrefix("usage: ") ? Self.wrapped(line, columns) : String(line)
    }
    .joined(separator: "\n")
  }

  private static func wrapped(_ usage: Substring, _ columns: Int) -> String {
    // An option in brackets, one with its value, or a word; each perhaps repeated.
    let pieces = usage.matches(of: /(\[[^\]]*\]|--[a-z-]+ <[^>]*>|\S+)( \.\.\.)?/).map(\.output.0)
    let indent = "  "
    var lines: [String] = []
    var line = ""
    for piece in pieces {
      if line.isEmpty {
        line = String(piece)
      } else if line.count + 1 + piece.count <= columns {
        line += " \(piece)"
      } else {
        lines.append(line)
        line = indent + piece
      }
    }
    return (lines + [line]).joined(separator: "\n")
  }
}
