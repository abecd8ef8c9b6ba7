import Models

/// A way to extend the window of a model without factors, to show what factors are worth.
public enum ExtensionMethod: Hashable, Sendable {
  /// Self-Extend: the positions of far keys are those of groups.
  case selfExtend(SelfExtend)
  /// Dynamic NTK scaling, as in transformers, by the ratio of both windows.
  case dynamicNTK

  private enum Name: String, CaseIterable {
    case selfExtend = "self-extend"
    case dynamicNTK = "dynamic-ntk"
  }

  /// The names of all methods.
  public static let names = Name.allCases.map(\.rawValue)

  /// The name in gates and results, next to those of the runtimes.
  public var name: String {
    switch self {
    case .selfExtend: Name.selfExtend.rawValue
    case .dynamicNTK: Name.dynamicNTK.rawValue
    }
  }
}

extension DynamicNTK {
  /// The scaling that reaches a model's window from its original one.
  init(_ geometry: RopeGeometry) {
    self.init(
      factor: Double(geometry.window) / Double(geometry.originalWindow),
      window: geometry.originalWindow, theta: geometry.theta,
      rotaryDimensions: geometry.rotaryDimensions)
  }
}
