public import Inference

/// One document or one needle prompt, of which a loss is measured. Units are independent of each
/// other.
public struct FitnessUnit: Sendable {
  public enum Kind: String, Codable, Sendable { case perplexity, needle }

  public var kind: Kind
  public var sequence: Scoring.Sequence
  /// The depth of its needle, from 0 to 1.
  public var depth = 0.0
}
