import Formats

/// Describes the members that differ between two JSON objects.
enum JSONDifference {
  /// The differences.
  ///
  /// Objects are compared member by member, other values as a whole.
  static func changes(
    from old: JSONValue, to new: JSONValue, file: String, path: String = ""
  ) -> [Plan.Change] {
    let oldMembers = old.members ?? []
    let newMembers = new.members ?? []
    let added = newMembers.filter { member in !oldMembers.contains { $0.name == member.name } }
    var result: [Plan.Change] = []
    for name in oldMembers.map(\.name) + added.map(\.name) {
      let place = path.isEmpty ? name : "\(path).\(name)"
      let before = old[name]
      let after = new[name]
      if let before, let after, before.means(after) { continue }
      if before?.members != nil || after?.members != nil,
        before.map({ $0.members != nil || $0.isNull }) ?? true,
        after.map({ $0.members != nil || $0.isNull }) ?? true
      {
        result += changes(
          from: before ?? .null, to: after ?? .null, file: file, path: place)
      } else {
        var (old, new) = (before?.summary, after?.summary)
        if old == new, let index = firstDifference(before, after) {
          old? += ", at \(index) \(before?.elements?[index].summary ?? "")"
          new? += ", at \(index) \(after?.elements?[index].summary ?? "")"
        }
        result.append(Plan.Change(file: file, name: place, old: old, new: new))
      }
    }
    return result
  }

  /// The index of the first element in which two lists of equal length differ.
  private static func firstDifference(_ old: JSONValue?, _ new: JSONValue?) -> Int? {
    guard let left = old?.elements, let right = new?.elements, left.count == right.count else {
      return nil
    }
    return left.indices.first { !left[$0].means(right[$0]) }
  }
}

extension JSONValue {
  /// The value on one line.
  ///
  /// A long list is shown by its length and its first and last value.
  package var summary: String {
    if let elements, elements.count > 8 {
      let ends = [elements.first, elements.last].compactMap { $0?.summary }
      return "[\(elements.count) values: \(ends.joined(separator: " … "))]"
    }
    if let text { return "\"\(text.sanitized)\"" }
    let bytes = JSONStyle.compact.encode(self)
    return String(decoding: bytes, as: UTF8.self).sanitized
  }
}
