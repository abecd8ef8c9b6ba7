package import Patch

/// An attention scale as options and checkpoints name it: `su`, `yarn`, `none` or a number.
extension Mscale {
  /// Nil for text that is neither a name nor a number from 0.01 to 100.
  package init?(name: String) {
    switch name {
    case "su": self = .su
    case "yarn": self = .yarn
    case "none": self = .none
    default:
      guard let number = Double(name), (0.01...100).contains(number) else { return nil }
      self = .literal(long: number, short: number)
    }
  }

  package var name: String {
    switch self {
    case .su: "su"
    case .yarn: "yarn"
    case .none: "none"
    case .literal(let long, _): String(long)
    }
  }
}
