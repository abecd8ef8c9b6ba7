extension Collection<String> {
  /// The names for a message or a help text: `a, b or c`.
  package var alternatives: String {
    guard count > 1, let last = suffix(1).first else { return joined() }
    return "\(dropLast().joined(separator: ", ")) or \(last)"
  }
}

extension CaseIterable where Self: RawRepresentable<String> {
  /// The names of all values for a message or a help text: `a, b or c`.
  package static var alternatives: String { allCases.map(\.rawValue).alternatives }
}

extension Collection<String> {
  /// The name from which a text differs by few letters, or nil if there is none.
  ///
  /// A text of up to 4 letters may differ by one letter or by two that changed places, a longer one
  /// by two letters. An unfinished name counts if no other one begins so.
  package func nearest(to text: String) -> String? {
    let text = Array(text.lowercased())
    guard text.count > 1 else { return nil }
    let limit = text.count > 4 ? 2 : 1
    let near = map { (name: $0, distance: distance(text, Array($0.lowercased()))) }
      .filter { $0.distance <= limit }
    if let best = near.min(by: { $0.distance < $1.distance }) { return best.name }
    let longer = filter { text.count > 2 && $0.lowercased().hasPrefix(String(text)) }
    return longer.count == 1 ? longer.first : nil
  }

  /// The optimal string alignment distance: letters inserted, removed, replaced, or swapped with
  /// their neighbour.
  private func distance(_ left: [Character], _ right: [Character]) -> Int {
    var rows = [Array(0...right.count)]
    for i in left.indices {
      var row = [i + 1]
      for j in right.indices {
        let replaced = rows[i][j] + (left[i] == right[j] ? 0 : 1)
        var best = Swift.min(replaced, rows[i][j + 1] + 1, row[j] + 1)
        if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] {
          best = Swift.min(best, rows[i - 1][j - 1] + 1)
        }
        row.append(best)
      }
      rows.append(row)
    }
    return rows[left.count][right.count]
  }
}

extension Sequence where Element: Hashable {
  /// The elements without repetitions, in the order in which they first occur.
  package var uniqued: [Element] {
    var seen: Set<Element> = []
    return filter { seen.insert($0).inserted }
  }
}
