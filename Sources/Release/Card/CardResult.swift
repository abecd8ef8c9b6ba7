/// One measured number, for a card's model index.
public struct CardResult: Equatable, Sendable {
  /// The metric's name in the Hub's model index, such as `perplexity`.
  public var metric: String
  /// What was measured where, for people.
  public var name: String
  /// The measured value.
  public var value: Double

  /// Creates a result.
  public init(metric: String, name: String, value: Double) {
    self.metric = metric
    self.name = name
    self.value = value
  }

  /// The type of dataset by which the program recognises its own results.
  static let datasetType = "lrpatch"

  func lines(indent: String) -> [String] {
    let name = YAMLText.scalar(name)
    return [
      "- task:", "    type: text-generation", "  dataset:", "    name: \(name)",
      "    type: \(Self.datasetType)", "    config: \(name)", "  metrics:", "  - type: \(metric)",
      "    name: \(name)", "    value: \(value)",
    ].map { indent + $0 }
  }
}
