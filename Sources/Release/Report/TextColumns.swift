/// Rows of text in aligned columns.
package enum TextColumns {
  /// One line for each row, without trailing spaces.
  ///
  /// Rows may have different numbers of cells.
  package static func lines(_ rows: [[String]]) -> [String] {
    let count = rows.map(\.count).max() ?? 0
    let widths = (0..<count).map { column in
      rows.compactMap { $0.indices.contains(column) ? $0[column].count : nil }.max() ?? 0
    }
    return rows.map { row in
      var line = zip(row, widths).map { $0.padded(to: $1) }.joined(separator: "  ")
      while line.last == " " { line.removeLast() }
      return line
    }
  }

  /// The same, with the last cell of each row wrapped to lines of at most `width` characters.
  ///
  /// All rows must have the same number of cells.
  package static func lines(_ rows: [[String]], width: Int) -> [String] {
    let fixed = rows.map { $0.dropLast() }
    let taken = (fixed.first?.indices).map { columns in
      columns.reduce(0) { sum, column in sum + 2 + (fixed.map { $0[column].count }.max() ?? 0) }
    }
    return lines(
      rows.flatMap { row in
        wrapped(row.last ?? "", width: width - (taken ?? 0)).enumerated().map { number, line in
          (number == 0 ? Array(row.dropLast()) : row.dropLast().map { _ in "" }) + [line]
        }
      })
  }

  /// A text in lines of at most `width` characters, broken at spaces.
  package static func wrapped(_ text: String, width: Int) -> [String] {
    var lines = [""]
    for word in text.split(separator: " ") {
      if lines[lines.count - 1].isEmpty {
        lines[lines.count - 1] = String(word)
      } else if lines[lines.count - 1].count + 1 + word.count <= width {
        lines[lines.count - 1] += " \(word)"
      } else {
        lines.append(String(word))
      }
    }
    return lines
  }
}

extension String {
  /// The text, followed by as many spaces as it takes to be `width` characters long.
  package func padded(to width: Int) -> String {
    self + String(repeating: " ", count: max(0, width - count))
  }
}
