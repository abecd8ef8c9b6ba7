/// A runtime that reads such a model, but whose rules a measurement could not follow.
public struct UnfollowedRuntime: Equatable, Sendable {
  /// The name of a `Runtime`.
  public var runtime: String
  public var reason: String

  public init(runtime: String, reason: String) {
    self.runtime = runtime
    self.reason = reason
  }
}
