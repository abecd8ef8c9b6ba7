import Release

/// The line of a list of numbers, drawn with characters.
enum TextPlot {
  /// - Returns: rows of text with an axis; none if all numbers are equal.
  static func lines(
    _ values: [Double], label: String, width: Int = 60, height: Int = 8
  ) -> [String] {
    guard values.count > 1, let low = values.min(), let high = values.max(), high > low else {
      return []
    }
    let columns = min(width, values.count)
    var rows = (0..<height).map { _ in Array(repeating: " ", count: columns) }
    for column in 0..<columns {
      let value = values[column * (values.count - 1) / max(1, columns - 1)]
      let row = Int(((high - value) / (high - low) * Double(height - 1)).rounded())
      rows[row][column] = "*"
    }
    let names = rows.indices.map { row in
      row == 0 ? number(high) : row == height - 1 ? number(low) : ""
    }
    let margin = names.map(\.count).max() ?? 0
    func spaces(_ count: Int) -> String { String(repeating: " ", count: count) }
    let axis = "\(spaces(margin)) +\(String(repeating: "-", count: columns)) \(label)"
    let lines = zip(names, rows).map { name, row in
      trimmed("\(spaces(margin - name.count))\(name) |\(row.joined())")
    }
    return lines + [axis]
  }

  private static func number(_ value: Double) -> String {
    ((value * 1000).rounded() / 1000).sixDigits
  }

  private static func trimmed(_ line: String) -> String {
    String(line.reversed().drop { $0 == " " }.reversed())
  }
}
