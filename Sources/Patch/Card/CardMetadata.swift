import Formats
internal import Yams

/// The YAML at the head of a model card. Only the members that are named change, line by line; comments, order and layout of
/// all else stay. What comes out is read again, and must say just what was asked for.
struct CardMetadata {
  var text: TextLines
  private let subject: String

  /// - Throws: `PatchError` for what is no YAML mapping.
  init(_ text: TextLines, subject: String) throws(PatchError) {
    self.text = text
    self.subject = subject
    try checkComplexity()
    _ = try root()
  }

  // MARK: Edits

  mutating func setBaseModel(_ name: String) throws(PatchError) {
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
    // Quotes, dashes and comments stay where the old name stands just once.
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

  mutating func addTags(_ tags: [String]) throws(PatchError) {
    guard let old = try root()["tags"] else { return try replace("tags", by: ["tags:"] + tags.map { "- \($0)" }) }
    let place = try range(of: "tags")
    if old.null != nil {
      guard place.count == 1, old.string?.isEmpty == true else {
        return try replace("tags", by: ["tags:"] + tags.map { "- \($0)" })
      }
      return text.lines.insert(contentsOf: text.ended(tags.map { "- \($0)" }), at: place.upperBound)
    }
    guard let sequence = old.sequence else { throw unusual("'tags' is no list") }
    let missing = tags.filter { tag in !sequence.contains { $0.string == tag } }
    guard !missing.isEmpty else { return }
    guard isBlock(sequence) else { return try addFlowTags(missing, sequence, place) }
    let last = try itemRange(sequence.count - 1, of: sequence, until: place.upperBound)
    let indent = Self.indent(text.lines[last.lowerBound])
    text.lines.insert(contentsOf: text.ended(missing.map { "\(indent)- \($0)" }), at: last.upperBound)
  }

  /// Before the bracket that ends the list: the last one that makes a list of the old tags and the new ones.
  private mutating func addFlowTags(
    _ tags: [String], _ old: Node.Sequence, _ place: Range<Int>
  ) throws(PatchError) {
    let wanted = Array(old) + tags.map { Node($0) }
    for line in place.reversed() {
      let scalars = Array(text.lines[line].unicodeScalars)
      for index in scalars.indices.reversed() where scalars[index] == "]" {
        // A comma may stand at the end of the line before.
        for lead in old.isEmpty ? [""] : [", ", ""] {
          var edited = self
          var head = String.UnicodeScalarView(scalars[..<index])
          while !lead.isEmpty, let last = head.last, last == " " || last == "," { head.removeLast() }
          edited.text.lines[line] =
            String(head) + lead + tags.joined(separator: ", ") + String(String.UnicodeScalarView(scalars[index...]))
          guard let list = try? edited.root()["tags"]?.sequence,
            Array(list).elementsEqual(wanted, by: { $0.string == $1.string })
          else { continue }
          self = edited
          return
        }
      }
    }
    throw unusual("the end of 'tags' is not to be found")
  }

  /// - Throws: `PatchError` where the edited text no longer says what the old one said beside these members.
  func check(against old: CardMetadata) throws(PatchError) {
    let own: Set<String> = ["base_model", "tags", "model-index"]
    let (before, after) = (try old.root(), try root())
    let others = before.filter { !own.contains($0.key.string ?? "") }
    let kept = after.filter { !own.contains($0.key.string ?? "") }
    // Of each model its other members, and its foreign results.
    let foreign = { (root: Node.Mapping) -> [[Node]] in
      (root["model-index"]?.sequence ?? []).map { model in
        (model.mapping ?? [:]).flatMap { pair in pair.key.string == "results" ? [] : [pair.key, pair.value] }
          + (model.mapping?["results"]?.sequence ?? []).filter { !CardResult.isOwn($0) }
      }
    }
    let tags = { (root: Node.Mapping) in (root["tags"]?.sequence ?? []).compactMap(\.string) }
    guard others.elementsEqual(kept, by: { $0.key == $1.key && $0.value == $1.value }),
      Array(foreign(after).prefix(foreign(before).count)) == foreign(before),
      Array(tags(after).prefix(tags(before).count)) == tags(before)
    else { throw unusual("an edit would change more than its own members") }
  }

  // MARK: Places

  func root() throws(PatchError) -> Node.Mapping {
    let node: Node?
    do { node = try Yams.compose(yaml: text.text) } catch {
      throw .unsupported(
        subject,
        "its YAML cannot be read: \("\(error)".split(separator: "\n").first.map { String($0).sanitized } ?? "")")
    }
    guard let node, node.null == nil else { return [:] }
    guard let mapping = node.mapping, character(at: mapping.mark) != "{" else {
      throw unusual("the YAML is no block mapping")
    }
    return mapping
  }

  /// The parser nests as deep as the text does, and copies what aliases stand for; no card needs either.
  private func checkComplexity() throws(PatchError) {
    let source = text.text
    guard source.utf8.count <= 1 << 20 else { throw .unsupported(subject, "the YAML has more than a mebibyte") }
    let scalars = Array(source.unicodeScalars)
    for (index, scalar) in scalars.enumerated() {
      let isLoneReturn = scalar == "\r" && (index + 1 == scalars.count || scalars[index + 1] != "\n")
      guard !isLoneReturn, !["\u{85}", "\u{2028}", "\u{2029}"].contains(scalar) else {
        throw .unsupported(
          subject,
          "the YAML has a line end other than LF and CRLF (U+\(String(scalar.value, radix: 16, uppercase: true))), which is not edited"
        )
      }
    }
    var depth = 0
    for byte in source.utf8 {
      if byte == UInt8(ascii: "[") || byte == UInt8(ascii: "{") { depth += 1 }
      if byte == UInt8(ascii: "]") || byte == UInt8(ascii: "}") { depth -= 1 }
      guard depth <= 100 else { throw .unsupported(subject, "the YAML is nested deeper than 100 levels") }
    }
    for line in text.lines where line.prefix(while: { " -?".contains($0) }).count(where: { $0 != " " }) > 100 {
      throw .unsupported(subject, "the YAML is nested deeper than 100 levels")
    }
    let anchors = Set(source.matches(of: /(?:^|[\s\[{,:?-])&([^\s\[\]{},]+)/).map(\.1))
    guard
      anchors.isEmpty
        || !source.matches(of: /(?:^|[\s\[{,:?-])\*([^\s\[\]{},]+)/).contains(where: { anchors.contains($0.1) })
    else { throw .unsupported(subject, "the YAML has aliases, which are not edited") }
  }

  func character(at mark: Mark?) -> Unicode.Scalar? {
    guard let mark, text.lines.indices.contains(mark.line - 1) else { return nil }
    return text.lines[mark.line - 1].unicodeScalars.dropFirst(mark.column - 1).first
  }

  func isBlock(_ list: Node.Sequence) -> Bool { character(at: list.mark) == "-" }

  func unusual(_ what: String) -> PatchError {
    .unsupported(subject, "\(what); write it in block style, or edit it by hand")
  }

  mutating func replace(_ key: String, by lines: [String]) throws(PatchError) {
    if try root()[Node(key)] == nil {
      text.lines += text.ended(lines)
    } else {
      text.lines.replaceSubrange(try range(of: key), with: text.ended(lines))
    }
  }

  /// The lines of a member of the outermost mapping, without blank lines and comments after it.
  func range(of key: String) throws(PatchError) -> Range<Int> {
    let lines = try root().compactMap { pair in pair.key.mark.map { (key: pair.key.string, line: $0.line - 1) } }
    guard let start = lines.first(where: { $0.key == key })?.line else { throw unusual("'\(key)' is not to be found") }
    let next = lines.map(\.line).filter { $0 > start }.min() ?? text.lines.count
    return trimmed(start..<next)
  }

  func trimmed(_ range: Range<Int>) -> Range<Int> {
    var end = range.upperBound
    while end > range.lowerBound + 1 {
      let content = text.content(end - 1).drop { $0 == " " }
      guard content.isEmpty || content.hasPrefix("#") else { break }
      end -= 1
    }
    return range.lowerBound..<end
  }

  /// The lines of an item of a block list, from its dash on.
  func itemRange(_ item: Int, of list: Node.Sequence, until end: Int) throws(PatchError) -> Range<Int> {
    func start(_ item: Int) throws(PatchError) -> Int {
      guard let line = list[item].mark?.line, text.lines.indices.contains(line - 1),
        text.lines[line - 1].drop(while: { $0 == " " }).hasPrefix("-")
      else { throw unusual("an item of a list does not begin on the line of its dash") }
      return line - 1
    }
    return trimmed(try start(item)..<(item + 1 < list.count ? try start(item + 1) : end))
  }

  static func indent(_ line: String) -> String { String(line.prefix { $0 == " " }) }
}
