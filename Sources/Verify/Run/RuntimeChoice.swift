public import Models

/// Whose rules a model is run by.
public enum RuntimeChoice: Hashable, Sendable {
  /// The papers' rule: the long table beyond the original window, with all keys recomputed when it is
  /// crossed.
  case paper
  case runtime(Runtime)

  public static let all: [RuntimeChoice] = [.paper] + Runtime.allCases.map(Self.runtime)
  /// The names of all choices, as in gates and results.
  public static let names = all.map(\.name)

  /// The choice with a name of `names`; nil for any other name.
  public init?(name: String) {
    guard let choice = Self.all.first(where: { $0.name == name }) else { return nil }
    self = choice
  }

  public var name: String {
    switch self {
    case .paper: "paper"
    case .runtime(let runtime): runtime.rawValue
    }
  }
}
