public import Inference

/// One document or one needle prompt for which a loss is measured.
///
/// Units are independent of each other.
public struct FitnessUnit: Sendable {
  /// The kind of a unit: a document, a needle prompt, or a prompt whose haystack is a document.
  public enum Kind: String, Codable, Sendable { case perplexity, needle, both }

  /// The kind of the unit.
  public var kind: Kind
  /// Its tokens, and the positions that are scored.
  public var sequence: Scoring.Sequence
  /// The depth of its needle, from 0 to 1.
  public var depth = 0.0
}
