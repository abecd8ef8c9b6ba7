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

  /// A table that scrolls by itself if it is too wide.
  ///
  /// All cells are plain text. The first cell of a row is its heading.
  static func table(_ header: [String], _ rows: [[String]], caption: String = "") -> String {
    let body = rows.map { row in
      "<tr>\(rowHeading(row.first ?? ""))"
        + row.dropFirst().map { "<td>\(XML.escaped($0))</td>" }.joined() + "</tr>"
    }
    return table(head: header.map(XML.escaped), body: body, caption: caption)
  }

  /// The same from cells of the header and whole rows that are HTML already.
  static func table(head: [String], body: [String], caption: String = "") -> String {
    let title = caption.isEmpty ? "" : "<caption>\(XML.escaped(caption))</caption>"
    let header = head.map { "<th scope=\"col\">\($0)</th>" }.joined()
    return """
      <div class="scroll"><table>\(title)<thead><tr>\(header)</tr></thead><tbody>
      \(body.joined(separator: "\n"))
      </tbody></table></div>
      """
  }

  static func rowHeading(_ text: String) -> String { "<th scope=\"row\">\(XML.escaped(text))</th>" }

  /// A picture that scrolls by itself if it is too wide.
  static func wide(
    width: Double, height: Double, title: String, _ elements: String
  ) -> String {
    let picture = figure(width: width, height: height, title: title, elements)
    return "<div class=\"scroll wide\">\(picture)</div>"
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
