import Formats

/// The LongRoPE repository's search results: one factor a line, or one line a layer with its factors separated by
/// white space or commas.
extension FactorSet {
  /// - Throws: `PatchError` with the line of what is no factor.
  public init(csv text: String, subject: String) throws(PatchError) {
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
            "line \(index + 1): '\(String(field).sanitized)' is no factor; expected a number in \(Self.plausible)")
        }
        row.append(number)
      }
      rows.append(row)
    }
    guard let first = rows.first else { throw .unsupported(subject, "holds no factors") }
    guard rows.allSatisfy({ $0.count == first.count }) else {
      throw .unsupported(subject, "its lines hold different numbers of factors")
    }
    let isColumn = first.count == 1
    self.init(long: isColumn ? .uniform(rows.map { $0[0] }) : FactorTable(rows: rows))
  }
}
