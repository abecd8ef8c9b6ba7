import Formats
import Models
public import Patch
import Verify

/// A model's card, README.md next to it, before and after an update.
///
/// In the YAML only `base_model`, `tags` and the program's own results in `model-index` are set, in
/// the text one section between two marks. Everything else stays, byte for byte.
public struct CardFile: Sendable {
  /// What a card is made from, besides the model's files.
  public struct Options: Sendable {
    /// The Hub's name of the model that this one was made from; nil leaves the card's.
    public var baseModel: String?
    /// The model's name in the model index; nil for the name of its folder or file.
    public var name: String?
    /// Paths of saved results, whose numbers go into the card.
    public var results: [String] = []
    /// Paths of saved results of the model before its patch, to show next to the others.
    public var before: [String] = []

    /// Options without a base model and without results.
    public init() {}
  }

  /// The path of the card.
  public let path: String
  /// The bytes of the card that is there; empty if there is none.
  public let old: [UInt8]
  /// The bytes of the updated card.
  public let new: [UInt8]

  /// Whether the update changes the card.
  public var isChanged: Bool { new != old }

  /// Whether the card of a model has a section that this program wrote.
  public static func hasSection(beside session: borrowing ModelSession) -> Bool {
    let bytes = (try? FileSystem.contents(of: path(of: session), limit: 8 << 20)) ?? []
    return String(decoding: bytes, as: UTF8.self).contains("<!-- lrpatch: begin")
  }

  private static func path(of session: borrowing ModelSession) -> String {
    session.format == .folder
      ? "\(session.path)/README.md"
      : FileSystem.path("README.md", in: FileSystem.folder(of: session.path))
  }

  /// Makes the update, without writing it.
  /// - Throws: `ModelError` for a model without factors, results of other files or of a run that
  ///   ended early, and a card whose YAML cannot be edited; `FormatError`; `FileError`.
  public init(of session: borrowing ModelSession, _ options: Options = Options()) throws {
    path = Self.path(of: session)
    old = FileSystem.exists(path) ? try FileSystem.contents(of: path, limit: 8 << 20) : []
    let card = try ModelCard(parsing: old, subject: path)
    new = try card.updated(Self.update(session, options, of: card))
  }

  /// Writes the updated card.
  /// - Throws: `ModelError` of kind `unsafe` if the card is a link or has other names; `FileError`.
  public func write() throws {
    try FileSafety.requireWritable(path, remedy: "replace it with a separate file")
    try OutputFile.replace(path, by: new)
  }

  // MARK: The update

  private static func update(
    _ session: borrowing ModelSession, _ options: Options, of card: ModelCard
  ) throws -> ModelCard.Update {
    let inspection = try Inspection(session)
    guard inspection.factors != nil else {
      throw ModelError.unsupported(
        session.path, "carries no factors; there is nothing for its card to say")
    }
    let own = try ModelManifest.name(of: session)
    let result = try options.results.isEmpty ? nil : ResultDocument.merged(paths: options.results)
    if let result {
      let subject = options.results.joined(separator: ", ")
      try result.requirePublishable(subject)
      try result.require(toBeOf: ModelManifest(session, .runtime), subject)
    }
    let before = try options.before.isEmpty ? nil : ResultDocument.merged(paths: options.before)
    if let result, let before {
      let subject = options.before.joined(separator: ", ")
      if let difference = try result.compare(withBefore: before, named: subject).first {
        throw ModelError.unsupported(subject, difference)
      }
    }
    let name = options.name ?? own
    let section = CardSection(inspection, name: name, result: result, before: before)
    let place = session.format == .folder ? "" : mark(own)
    var update = ModelCard.Update(
      baseModel: options.baseModel, tags: ["long-context", "longrope"], model: name,
      results: result.map { _ in section.results }, section: place, text: section.lines)
    if result == nil { keepMeasurements(of: card, about: section.statement, in: &update) }
    return update
  }

  /// Without new results, keeps those of the section, or removes them if it is about other factors.
  /// - Parameter statement: what the new section says of the windows and the factors.
  private static func keepMeasurements(
    of card: ModelCard, about statement: String, in update: inout ModelCard.Update
  ) {
    guard let old = card.lines(ofSection: update.section),
      let start = old.firstIndex(where: { $0.hasPrefix("### ") })
    else { return }
    if old.contains(statement) {
      update.text += old[start...]
    } else {
      update.results = []
    }
  }

  /// A file name for a mark, with unusual bytes percent-encoded.
  ///
  /// Different names stay different.
  private static func mark(_ name: String) -> String {
    let plain = Set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._-".utf8)
    return name.utf8.map { byte in
      guard !plain.contains(byte) else { return String(Unicode.Scalar(byte)) }
      return "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
    }.joined()
  }
}
