import Formats
import Models
internal import Yams

/// The YAML at the head of a model card.
///
/// Only the members that are named change, line by line. Comments, order and layout of everything
/// else stay. The edited text is read again, and must say exactly what was asked for.
struct CardMetadata {
  var text: TextLines
  let subject: String

  /// - Throws: `ModelError` for text that is not a YAML mapping, or too complex.
  init(_ text: TextLines, subject: String) throws(ModelError) {
    self.text = text
    self.subject = subject
    try checkComplexity()
    _ = try root()
  }

  // MARK: Edits

  mutating func setBaseModel(_ name: String) throws(ModelError) {
    guard let old = try root()["base_model"], old.null == nil else {
      return try replace("base_model", by: ["base_model: \(name)"])
    }
    if old.string == name || old.sequence?.contains(where: { $0.string == name }) == true { return }
    let only = old.sequence.map { $0.count == 1 ? $0[0].string : nil } ?? old.string
    guard let only, !only.isEmpty else {
      throw .unsupported(subject, "'base_model' names several models; edit it by hand")
    }
    let place = try range(of: "base_model")
    let entry = text.lines[place].joined()
    let parts = entry.split(separator: only, maxSplits: 1, omittingEmptySubsequences: false)
    // Quotes, dashes and comments stay if the old name occurs just once.
    if parts.count == 2, !parts[1].contains(only) {
      text.lines.replaceSubrange(place, with: TextLines(parts.joined(separator: name)).lines)
    } else {
      try replace("base_model", by: ["base_model: \(name)"])
    }
    let new = try root()["base_model"]
    guard new?.string == name || new?.sequence?.first?.string == name else {
      throw unusual("'base_model' cannot be replaced by lines")
    }
  }

  mutating func addTags(_ tags: [String]) throws(ModelError) {
    guard let old = try root()["tags"] else {
      return try replace("tags", by: ["tags:"] + tags.map { "- \($0)" })
    }
    let place = try range(of: "tags")
    if old.null != nil {
      guard place.count == 1, old.string?.isEmpty == true else {
        return try replace("tags", by: ["tags:"] + tags.map { "- \($0)" })
      }
      return text.lines.insert(contentsOf: text.ended(tags.map { "- \($0)" }), at: place.upperBound)
    }
    guard let sequence = old.sequence else { throw unusual("'tags' is not a list") }
    let missing = tags.filter { tag in !sequence.contains { $0.string == tag } }
    guard !missing.isEmpty else { return }
    guard isBlock(sequence) else { return try addFlowTags(missing, sequence, place) }
    let last = try itemRange(sequence.count - 1, of: sequence, until: place.upperBound)
    let indent = Self.indent(text.lines[last.lowerBound])
    let added = text.ended(missing.map { "\(indent)- \($0)" })
    text.lines.insert(contentsOf: added, at: last.upperBound)
  }

  /// Adds tags before the bracket that ends the list.
  ///
  /// The brackets are tried from the last one on. The right one gives a list of the old tags and
  /// the new ones.
  private mutating func addFlowTags(
    _ tags: [String], _ old: Node.Sequence, _ place: Range<Int>
  ) throws(ModelError) {
    let wanted = Array(old) + tags.map { Node($0) }
    for line in place.reversed() {
      let scalars = Array(text.lines[line].unicodeScalars)
      for index in scalars.indices.reversed() where scalars[index] == "]" {
        // The comma may be at the end of the line before.
        for lead in old.isEmpty ? [""] : [", ", ""] {
          var edited = self
          var head = String.UnicodeScalarView(scalars[..<index])
          while !lead.isEmpty, let last = head.last, last == " " || last == "," {
            head.removeLast()
          }
          let tail = String(String.UnicodeScalarView(scalars[index...]))
          edited.text.lines[line] = String(head) + lead + tags.joined(separator: ", ") + tail
          guard let list = try? edited.root()["tags"]?.sequence,
            Array(list).elementsEqual(wanted, by: { $0.string == $1.string })
          else { continue }
          self = edited
          return
        }
      }
    }
    throw unusual("the end of 'tags' cannot be found")
  }

  /// - Throws: `ModelError` if the edited text differs from the old one in any other member.
  func check(against old: CardMetadata) throws(ModelError) {
    let own: Set<String> = ["base_model", "tags", "model-index"]
    let (before, after) = (try old.root(), try root())
    let others = before.filter { !own.contains($0.key.string ?? "") }
    let kept = after.filter { !own.contains($0.key.string ?? "") }
    // For each model: its other members, and the results of others.
    let foreign = { (root: Node.Mapping) -> [[Node]] in
      (root["model-index"]?.sequence ?? []).map { model in
        (model.mapping ?? [:]).flatMap { pair in
          pair.key.string == "results" ? [] : [pair.key, pair.value]
        }
          + (model.mapping?["results"]?.sequence ?? []).filter { !CardResult.isOwn($0) }
      }
    }
    let tags = { (root: Node.Mapping) in (root["tags"]?.sequence ?? []).compactMap(\.string) }
    guard others.elementsEqual(kept, by: { $0.key == $1.key && $0.value == $1.value }),
      Array(foreign(after).prefix(foreign(before).count)) == foreign(before),
      Array(tags(after).prefix(tags(before).count)) == tags(before)
    else { throw unusual("an edit would change more than its own members") }
  }
}
