/// One measured number for the model index.
public struct CardResult: Equatable, Sendable {
  /// As the Hub's model index calls it, such as `perplexity`.
  public var metric: String
  /// What is measured where, for people.
  public var name: String
  public var value: Double

  public init(metric: String, name: String, value: Double) {
    self.metric = metric
    self.name = name
    self.value = value
  }

  static let datasetType = "lrpatch"

  func lines(indent: String) -> [String] {
    [
      "- task:", "    type: text-generation", "  dataset:", "    name: \(YAMLText.scalar(name))",
      "    type: \(Self.datasetType)", "    config: \(YAMLText.scalar(name))", "  metrics:", "  - type: \(metric)",
      "    name: \(YAMLText.scalar(name))",
      "    value: \(value)",
    ].map { indent + $0 }
  }
}
