public import Models

/// A model card, README.md: YAML between two lines `---` at its head, then Markdown.
///
/// `CardFile` makes the update of a whole model.
public struct ModelCard: Sendable {
  /// What an update sets.
  ///
  /// Everything else in the card stays, byte for byte.
  public struct Update: Sendable {
    /// The base model's name on the Hub; nil leaves the card's.
    public var baseModel: String?
    /// Tags to add to the card's.
    public var tags: [String]
    /// The model's name in the model index.
    public var model: String
    /// The results in the model index; nil leaves the card's.
    public var results: [CardResult]?
    /// The name of the file that the section is about, if its folder has several; empty for a whole
    /// folder.
    public var section: String
    /// Lines of Markdown: the section.
    public var text: [String]

    /// Creates an update.
    public init(
      baseModel: String?, tags: [String], model: String, results: [CardResult]?, section: String,
      text: [String]
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
  /// The blank lines and the line `---` before the YAML; nil without YAML.
  private let opening: [String]?
  private let subject: String

  /// Reads a card.
  /// - Parameter bytes: the card's text; empty for a card that does not exist yet.
  /// - Throws: `ModelError` for bytes that are not UTF-8, and YAML that does not end or cannot be
  ///   read.
  public init(parsing bytes: [UInt8], subject: String) throws(ModelError) {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw .unsupported(subject, "is not UTF-8 text")
    }
    guard !text.unicodeScalars.starts(with: ["\u{FEFF}"]) else {
      throw .unsupported(
        subject,
        "begins with a byte-order mark, after which the Hub does not find the YAML; remove it")
    }
    self.subject = subject
    var all = TextLines(text)
    // The Hub skips white space before the YAML, but its first and last line must not end in any.
    func isBlank(_ character: Character) -> Bool { character == " " || character == "\t" }
    let start = all.lines.indices.first { !all.content($0).allSatisfy(isBlank) } ?? 0
    let first = all.lines.isEmpty ? "" : all.line(start).drop(while: isBlank)
    guard !all.lines.isEmpty, all.content(start).drop(while: isBlank) == "---" else {
      opening = nil
      metadata = try CardMetadata(TextLines(emptyWithEndsOf: all), subject: subject)
      body = all
      return
    }
    guard first == "---" else {
      throw .unsupported(
        subject,
        "line \(start + 1) has blanks after ---, so the Hub does not find the YAML; remove them")
    }
    let rest = all.lines.indices.dropFirst(start + 1)
    guard let end = rest.first(where: { all.line($0) == "---" }) else {
      throw .unsupported(
        subject,
        """
        its YAML begins on line \(start + 1) and does not end; expected a second line --- without \
        blanks
        """)
    }
    opening = Array(all.lines[...start])
    var head = all
    head.lines = Array(all.lines[(start + 1)..<end])
    metadata = try CardMetadata(head, subject: subject)
    all.lines.removeSubrange(..<end)
    body = all
  }

  /// The lines of the section that the card has, without its marks; nil if it has none.
  /// - Parameter section: the name of the file that it is about, or empty.
  func lines(ofSection section: String) -> [String]? {
    let name = section.isEmpty ? "" : " \(section)"
    let contents = body.lines.indices.map { body.content($0) }
    guard let begin = contents.firstIndex(of: "<!-- lrpatch: begin\(name) -->"),
      let end = contents.firstIndex(of: "<!-- lrpatch: end\(name) -->"), begin < end
    else { return nil }
    return contents[(begin + 1)..<end].map { String($0) }
  }

  /// The card's new bytes.
  /// - Throws: `ModelError` if the layout of the YAML cannot be edited in place, or the section's
  ///   marks are not one pair.
  public func updated(_ update: Update) throws(ModelError) -> [UInt8] {
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

  /// The Markdown with the section, new or replaced.
  private func section(_ update: Update) throws(ModelError) -> TextLines {
    let name = update.section.isEmpty ? "" : " \(update.section)"
    let (begin, end) = ("<!-- lrpatch: begin\(name) -->", "<!-- lrpatch: end\(name) -->")
    let begins = body.lines.indices.filter { body.content($0) == begin }
    let ends = body.lines.indices.filter { body.content($0) == end }
    var result = body
    let new = result.ended([begin] + update.text + [end])
    switch (begins.count, ends.count) {
    case (0, 0):
      if let last = result.lines.last {
        if !last.utf8.reversed().starts(with: [0x0A]) {
          result.lines[result.lines.count - 1] += result.newline
        }
        if result.content(result.lines.count - 1) != "" { result.lines += result.ended([""]) }
      }
      result.lines += new
    case (1, 1) where begins[0] < ends[0]:
      result.lines.replaceSubrange(begins[0]...ends[0], with: new)
    default:
      throw .unsupported(
        subject,
        """
        \(begins.count) lines '\(begin)' and \(ends.count) '\(end)', expected one of each, in this \
        order
        """)
    }
    return result
  }
}
