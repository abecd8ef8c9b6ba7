/// A model card, README.md: YAML between two lines `---` at its head, then Markdown.
public struct ModelCard: Sendable {
  /// What an update says. Everything else in the card stays, byte for byte.
  public struct Update: Sendable {
    /// Its name on the Hub; nil leaves the card's.
    public var baseModel: String?
    public var tags: [String]
    /// The model's name in the model index.
    public var model: String
    /// nil leaves the card's.
    public var results: [CardResult]?
    /// Tells the section apart from those of other files in the same folder; empty for the folder itself.
    public var section: String
    /// Lines of Markdown.
    public var text: [String]

    public init(
      baseModel: String?, tags: [String], model: String, results: [CardResult]?, section: String, text: [String]
    ) {
      self.baseModel = baseModel
      self.tags = tags
      self.model = model
      self.results = results
      self.section = section
      self.text = text
    }
  }

  private let metadata: CardMetadata
  private let body: TextLines
  /// Blank lines and the line `---` before the YAML; nil where there is none.
  private let opening: [String]?
  private let subject: String

  /// - Parameter bytes: none for a card that is not there yet.
  /// - Throws: `PatchError` for bytes that are no UTF-8, YAML that does not end, or is none.
  public init(parsing bytes: [UInt8], subject: String) throws(PatchError) {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw .unsupported(subject, "no UTF-8 text")
    }
    guard !text.unicodeScalars.starts(with: ["\u{FEFF}"]) else {
      throw .unsupported(subject, "begins with a byte-order mark, behind which the Hub finds no YAML; remove it")
    }
    self.subject = subject
    var all = TextLines(text)
    // The Hub passes over white space before the YAML, but takes no line for its beginning or end that has any behind it.
    let start = all.lines.indices.first { !all.content($0).allSatisfy { $0 == " " || $0 == "\t" } } ?? 0
    let first = all.lines.isEmpty ? "" : all.line(start).drop { $0 == " " || $0 == "\t" }
    guard !all.lines.isEmpty, all.content(start).drop(while: { $0 == " " || $0 == "\t" }) == "---" else {
      opening = nil
      metadata = try CardMetadata(TextLines(emptyWithEndsOf: all), subject: subject)
      body = all
      return
    }
    guard first == "---" else {
      throw .unsupported(
        subject, "line \(start + 1) has blanks behind ---, where the Hub finds no YAML; remove them")
    }
    guard let end = all.lines.indices.dropFirst(start + 1).first(where: { all.line($0) == "---" }) else {
      throw .unsupported(
        subject, "its YAML begins on line \(start + 1) and does not end; expected a second line --- without blanks")
    }
    opening = Array(all.lines[...start])
    var head = all
    head.lines = Array(all.lines[(start + 1)..<end])
    metadata = try CardMetadata(head, subject: subject)
    all.lines.removeSubrange(..<end)
    body = all
  }

  /// The card's new bytes.
  /// - Throws: `PatchError` where the YAML is laid out in a way that cannot be edited in place, or the section's marks are
  ///   not one pair.
  public func updated(_ update: Update) throws(PatchError) -> [UInt8] {
    var edited = metadata
    if let name = update.baseModel { try edited.setBaseModel(name) }
    try edited.addTags(update.tags)
    if let results = update.results {
      // In a folder of several files each has its own name.
      try edited.setResults(results, model: update.model, takesOnlyModel: update.section.isEmpty)
    }
    try edited.check(against: metadata)
    var lines = try section(update)
    lines.lines.insert(
      contentsOf: (opening ?? lines.ended(["---"])) + edited.text.lines
        + (opening == nil ? lines.ended(["---", ""]) : []),
      at: 0)
    return Array(lines.text.utf8)
  }

  /// The Markdown with the section put in, or put in anew.
  private func section(_ update: Update) throws(PatchError) -> TextLines {
    let name = update.section.isEmpty ? "" : " \(update.section)"
    let (begin, end) = ("<!-- lrpatch: begin\(name) -->", "<!-- lrpatch: end\(name) -->")
    let begins = body.lines.indices.filter { body.content($0) == begin }
    let ends = body.lines.indices.filter { body.content($0) == end }
    var result = body
    let new = result.ended([begin] + update.text + [end])
    switch (begins.count, ends.count) {
    case (0, 0):
      if let last = result.lines.last {
        if !last.utf8.reversed().starts(with: [0x0A]) { result.lines[result.lines.count - 1] += result.newline }
        if result.content(result.lines.count - 1) != "" { result.lines += result.ended([""]) }
      }
      result.lines += new
    case (1, 1) where begins[0] < ends[0]: result.lines.replaceSubrange(begins[0]...ends[0], with: new)
    default:
      throw .unsupported(
        subject, "\(begins.count) lines '\(begin)' and \(ends.count) '\(end)', expected one of each, in this order")
    }
    return result
  }
}
