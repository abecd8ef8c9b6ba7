/// A runtime that reads the model, but that a measurement could not follow.
public struct UnfollowedRuntime: Equatable, Sendable {
  /// The name of a `Runtime`.
  public var runtime: String
  /// Why it cannot be followed.
  public var reason: String

  /// Creates an entry for a runtime.
  public init(runtime: String, reason: String) {
    self.runtime = runtime
    self.reason = reason
  }
}
