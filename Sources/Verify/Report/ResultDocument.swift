public import Formats

/// The result of a verification as it is saved: `lrpatch.verify/1` (specs/verify.schema.json).
public struct ResultDocument: Sendable {
  public static let schema = "lrpatch.verify/1"

  /// What makes the numbers comparable with others, as JSON.
  public var method: JSONValue
  /// The version of lrpatch.
  public var version: String
  public var model: String
  public var isComplete: Bool
  /// `2/8` for a part of a grid, otherwise nil.
  public var shard: String?
  public var unfollowed: [UnfollowedRuntime]
  /// The gates by which a saved result was judged.
  public var savedGates: [String] = []
  /// What `lrpatch inspect --json` says about the model as it was run; null if that is not known.
  public var inspection = JSONValue.null
  public var provenance = Provenance()
  public var measured: Measurements
  public var verdicts: [Verdict]

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
