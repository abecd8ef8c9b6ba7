extension Collection<String> {
  /// The names for a message or a help text: `a, b or c`.
  package var alternatives: String {
    guard count > 1, let last = suffix(1).first else { return joined() }
    return "\(dropLast().joined(separator: ", ")) or \(last)"
  }
}

extension CaseIterable where Self: RawRepresentable<String> {
  /// The names of all values for a message or a help text: `a, b or c`.
  package static var alternatives: String { allCases.map(\.rawValue).alternatives }
}
