import Formats
public import Models

/// Search results as the LongRoPE repository writes them: one factor per line, or one line per
/// layer with factors separated by commas, semicolons or white space.
extension FactorSet {
  /// Reads search results.
  /// - Throws: `ModelError` that names the line of an invalid factor.
  public init(csv text: String, subject: String) throws(ModelError) {
    var rows: [[Double]] = []
    for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
      .enumerated()
    {
      let fields = line.split { $0 == "," || $0 == ";" || $0.isWhitespace }
      if fields.isEmpty { continue }
      var row: [Double] = []
      for field in fields {
        guard let number = Double(field), Self.plausible.contains(number) else {
          throw .unsupported(
            subject,
            "line \(index + 1): '\(String(field).sanitized)' is not a factor, expected \(Self.expectedFactor)"
          )
        }
        row.append(number)
      }
      rows.append(row)
    }
    guard let first = rows.first else { throw .unsupported(subject, "contains no factors") }
    guard rows.allSatisfy({ $0.count == first.count }) else {
      throw .unsupported(subject, "its lines have different numbers of factors")
    }
    let isColumn = first.count == 1
    self.init(long: isColumn ? .uniform(rows.map { $0[0] }) : FactorTable(rows: rows))
  }

  /// The long factors in the form that `init(csv:subject:)` reads: one to a line, or a line for
  /// each layer.
  package var csv: String {
    let lines =
      switch long {
      case .uniform(let factors): factors.map { "\($0)" }
      case .perLayer(let rows): rows.map { $0.map { "\($0)" }.joined(separator: ",") }
      }
    return lines.joined(separator: "\n") + "\n"
  }

  /// Whether there is more than a CSV file holds.
  package var hasMoreThanCSV: Bool { self != FactorSet(long: long) }
}
