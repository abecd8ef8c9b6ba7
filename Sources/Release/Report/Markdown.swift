import Formats

/// Pieces of Markdown.
///
/// Text from models and results may contain anything, so it is escaped.
enum Markdown {
  /// Text without meaning in Markdown or HTML.
  static func escaped(_ text: String) -> String {
    text.visible.unicodeScalars.map { scalar in
      switch scalar {
      case "<": "&lt;"
      case "&": "&amp;"
      case "\\", "`", "*", "[", "]", "|", "!", "~": "\\\(scalar)"
      default: String(scalar)
      }
    }.joined()
  }

  /// A code span, between more backticks than the text contains in a row.
  static func code(_ text: String) -> String {
    let shown = text.visible
    var (run, longest) = (0, 0)
    for scalar in shown.unicodeScalars {
      run = scalar == "`" ? run + 1 : 0
      longest = max(longest, run)
    }
    let fence = String(repeating: "`", count: longest + 1)
    let pad = shown.hasPrefix("`") || shown.hasSuffix("`") ? " " : ""
    return fence + pad + shown.replacing("|", with: "\\|") + pad + fence
  }

  /// The lines of a table whose cells are Markdown already.
  static func table(_ header: [String], _ rows: [[String]]) -> [String] {
    ([header, header.map { _ in "---" }] + rows).map { "| \($0.joined(separator: " | ")) |" }
  }
}
