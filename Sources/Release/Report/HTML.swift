import Verify

/// Pieces of HTML.
enum HTML {
  /// A whole file that needs nothing else.
  static func page(title: String, _ sections: [String]) -> String {
    """
    \(HTMLReport.beginning)
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>\(XML.escaped(title))</title>
    <style>
    \(HTMLStyle.css)
    </style>
    </head>
    <body>
    <main>
    \(sections.joined(separator: "\n"))
    </main>
    </body>
    </html>

    """
  }

  /// What a table is of, which decides how its cells wrap.
  ///
  /// The names are classes of the style sheet.
  enum TableKind: String {
    case numbers, words, gates, hashes
  }

  /// A table that scrolls by itself if it is too wide.
  ///
  /// All cells are plain text. The first cell of a row is its heading.
  static func table(
    _ header: [String], _ rows: [[String]], of kind: TableKind = .numbers, caption: String = ""
  ) -> String {
    let body = rows.map { row in
      "<tr>\(rowHeading(row.first ?? ""))"
        + row.dropFirst().map { "<td>\(XML.escaped($0))</td>" }.joined() + "</tr>"
    }
    return table(head: header.map(XML.escaped), body: body, of: kind, caption: caption)
  }

  /// The same from cells of the header and whole rows that are HTML already.
  static func table(
    head: [String], body: [String], of kind: TableKind = .numbers, caption: String = ""
  ) -> String {
    let title = caption.isEmpty ? "" : "<caption>\(XML.escaped(caption))</caption>"
    let header = head.map { "<th scope=\"col\">\($0)</th>" }.joined()
    return """
      <div class="scroll \(kind.rawValue)"><table>\(title)<thead><tr>\(header)</tr></thead><tbody>
      \(body.joined(separator: "\n"))
      </tbody></table></div>
      """
  }

  /// Files with their digests.
  static func files(_ files: [FileDigest], caption: String = "") -> String {
    let rows = files.map { [$0.name, String($0.size), $0.sha256] }
    return table(["file", "bytes", "SHA-256"], rows, of: .hashes, caption: caption)
  }

  static func rowHeading(_ text: String) -> String { "<th scope=\"row\">\(XML.escaped(text))</th>" }

  /// A plot over the rotary pairs.
  static func plot(_ plot: LinePlot, title: String) -> String {
    let picture = figure(
      width: LinePlot.width, height: LinePlot.height, title: title, plot.body(at: 0))
    return "<div class=\"plot\">\(picture)</div>"
  }

  /// A picture with a title for readers that do not show it.
  /// - Parameter elements: SVG.
  static func figure(
    width: Double, height: Double, title: String, _ elements: String, caption: String? = nil
  ) -> String {
    let title = XML.escaped(title)
    let size = "\(SVG.number(width)) \(SVG.number(height))"
    let below = caption.map { "<figcaption>\(XML.escaped($0))</figcaption>" } ?? ""
    return """
      <figure><svg viewBox="0 0 \(size)" role="img" aria-label="\(title)"><title>\(title)</title>
      \(elements)
      </svg>\(below)</figure>
      """
  }
}
