/// The JSON documents that lrpatch writes, each by its member `schema`: a name and a version.
public enum DocumentSchema: String, CaseIterable, Sendable {
  /// What the commands print with `--json`, and what they save for others. Each has a file
  /// specs/NAME.schema.json.
  case apply = "lrpatch.apply/1"
  case card = "lrpatch.card/1"
  case certificate = "lrpatch.certificate/1"
  case certify = "lrpatch.certify/1"
  case comparison = "lrpatch.comparison/1"
  case convert = "lrpatch.convert/1"
  case diff = "lrpatch.diff/1"
  case error = "lrpatch.error/1"
  case estimate = "lrpatch.estimate/1"
  case factors = "lrpatch.factors/1"
  case inspect = "lrpatch.inspect/1"
  case ladder = "lrpatch.ladder/1"
  case lint = "lrpatch.lint/1"
  case list = "lrpatch.list/1"
  case mix = "lrpatch.mix/1"
  case provenance = "lrpatch.provenance/1"
  case replay = "lrpatch.replay/1"
  case revert = "lrpatch.revert/1"
  case searchLog = "lrpatch.search-log/1"
  case searchResult = "lrpatch.search-result/1"
  case sensitivity = "lrpatch.sensitivity/1"
  case verify = "lrpatch.verify/1"
  /// What only lrpatch reads: the checkpoint of a search, the journal of a transaction, and the
  /// record from which a patch is reverted.
  case checkpoint = "lrpatch.search/1"
  case journal = "lrpatch.journal/1"
  case undo = "lrpatch.undo/1"

  /// The beginning of every name.
  public static let prefix = "lrpatch."

  /// The name without prefix and version, such as `search-log`.
  public var name: String {
    String(rawValue.dropFirst(Self.prefix.count).prefix { $0 != "/" })
  }

  /// The value of the member `schema`.
  public var json: JSONValue { .string(rawValue) }

  /// Whether a document calls itself one of this kind, in any version.
  public func isOf(_ schema: String) -> Bool {
    schema.hasPrefix("\(Self.prefix)\(name)/")
  }
}
