import Formats

/// Pieces of Markdown, of texts that may hold anything.
enum Markdown {
  /// Text that means nothing to Markdown or HTML.
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

  /// A span of code, fenced by more backticks than are in it.
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

  /// Lines of a table. Cells are Markdown already.
  static func table(_ header: [String], _ rows: [[String]]) -> [String] {
    ([header, header.map { _ in "---" }] + rows).map { "| \($0.joined(separator: " | ")) |" }
  }
}
