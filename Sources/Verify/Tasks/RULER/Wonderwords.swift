/// The words in RULER's keys and lists, from the Python package wonderwords.
enum Wonderwords {
  /// Nouns, adjectives and verbs, each once, in the order of their code points.
  static let all = Set(list(nounList) + list(adjectiveList) + list(verbList)).sorted(by: precedes)

  /// Every adjective with every noun.
  static let pairs = Pairs(heads: list(adjectiveList), tails: list(nounList))

  /// Heads and tails joined by a hyphen, in the order of their code points, without storing six
  /// million strings.
  struct Pairs: Sendable {
    /// Joins of one head, as many as there are tails.
    private struct Row {
      var head: String
      var tails: ArraySlice<String>
    }

    private let rows: [Row]
    private let width: Int

    var count: Int { rows.count * width }

    subscript(index: Int) -> String {
      let row = rows[index / width]
      return row.head + "-" + row.tails[row.tails.startIndex + index % width]
    }

    /// Sorts the joins.
    ///
    /// The joins of a head such as "blue-eyed" sort among those of "blue", so the two heads share a
    /// list of two rows.
    /// - Precondition: `heads` and `tails` are sorted and have no duplicates.
    fileprivate init(heads: [String], tails: [String]) {
      let known = Set(heads)
      let prefix = { (head: String) in head.split(separator: "-").first.map { String($0) } ?? head }
      let extending = heads.filter { $0.contains("-") && known.contains(prefix($0)) }
      let outer = heads.filter { !extending.contains($0) }
      width = tails.count
      rows = outer.sorted { precedes($0 + "-", $1 + "-") }.flatMap { head in
        let inner = extending.filter { prefix($0) == head }.map { $0.dropFirst(head.count + 1) }
        let joined = inner.flatMap { rest in tails.map { rest + "-" + $0 } }
        let all = inner.isEmpty ? tails : (tails + joined).sorted(by: precedes)
        return stride(from: 0, to: all.count, by: tails.count).map { start in
          Row(head: head, tails: all[start..<start + tails.count])
        }
      }
    }
  }

  private static func list(_ text: String) -> [String] {
    text.split(separator: ";").map { String($0) }
  }
}

/// Whether `left` comes before `right` by code points, as Python sorts.
private func precedes(_ left: String, _ right: String) -> Bool {
  left.unicodeScalars.lexicographicallyPrecedes(right.unicodeScalars)
}
