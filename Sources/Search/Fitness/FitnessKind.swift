/// What a search minimises.
public enum FitnessKind: String, CaseIterable, Sendable {
  /// The perplexity of documents.
  case perplexity
  /// The perplexity of the answers to needle prompts.
  case needle
  case both

  var hasDocuments: Bool { self != .needle }
  var hasNeedles: Bool { self != .perplexity }
}

extension FitnessSettings {
  /// The kind that the numbers of documents and needles make.
  package var kind: FitnessKind {
    if scoresHaystack { return .both }
    return documents == 0 ? .needle : needles == 0 ? .perplexity : .both
  }
}
