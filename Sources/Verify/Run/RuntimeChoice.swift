public import Models

/// The rules by which a model is run: the papers' or a runtime's.
public enum RuntimeChoice: Hashable, Sendable {
  /// The papers' rule: the long table beyond the original window, with all keys recomputed when it
  /// is crossed.
  case paper
  /// The rules of a runtime.
  case runtime(Runtime)

  /// Every choice.
  public static let all: [RuntimeChoice] = [.paper] + Runtime.allCases.map(Self.runtime)
  /// The names of all choices, as in gates and results.
  public static let names = all.map(\.name)

  /// The choice with a name of `names`; nil for any other name.
  public init?(name: String) {
    guard let choice = Self.all.first(where: { $0.name == name }) else { return nil }
    self = choice
  }

  /// The name in options, gates and results.
  public var name: String {
    switch self {
    case .paper: "paper"
    case .runtime(let runtime): runtime.rawValue
    }
  }
}
