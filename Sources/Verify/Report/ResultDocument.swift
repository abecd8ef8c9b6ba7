public import Formats

/// The result of a verification as it is saved: `lrpatch.verify/1` (specs/verify.schema.json).
public struct ResultDocument: Sendable {
  /// The name and version of the format.
  public static let schema = DocumentSchema.verify.rawValue

  /// What makes the numbers comparable with others, as JSON.
  public var method: JSONValue
  /// What was asked, as JSON; null in a result of an older version, and if different things were
  /// merged.
  public var plan = JSONValue.null
  /// The version of lrpatch.
  public var version: String
  /// The path of the model, as it was given.
  public var model: String
  /// Whether everything that was planned was measured.
  public var isComplete: Bool
  /// `2/8` for a part of a grid, otherwise nil.
  public var shard: String?
  /// The runtimes that could not be followed, with the reasons.
  public var unfollowed: [UnfollowedRuntime]
  /// The gates by which a saved result was judged.
  public var savedGates: [String] = []
  /// What `lrpatch inspect --json` says about the model as it was run; null if that is not known.
  public var inspection = JSONValue.null
  /// What was run on which files.
  public var provenance = Provenance()
  /// What was measured.
  public var measured: Measurements
  /// One verdict for each gate.
  public var verdicts: [Verdict]

  /// Creates a document without provenance.
  public init(
    method: JSONValue, version: String, model: String, isComplete: Bool, shard: String?,
    unfollowed: [UnfollowedRuntime], measured: Measurements, verdicts: [Verdict]
  ) {
    self.method = method
    self.version = version
    self.model = model
    self.isComplete = isComplete
    self.shard = shard
    self.unfollowed = unfollowed
    self.measured = measured
    self.verdicts = verdicts
  }
}
