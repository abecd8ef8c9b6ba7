import Verify

/// The fitness that a search minimises, and the data on which it is measured.
public struct FitnessSettings: Codable, Equatable, Sendable {
  /// The length of a document in tokens: the target window.
  public var length: Int
  /// The number of documents for perplexity.
  public var documents = 0
  /// The name of a `Perplexity.Method`.
  public var method: String = Perplexity.Method.truncate.rawValue
  /// Tokens by which a sliding window moves.
  public var stride = 256
  /// The number of needle prompts.
  public var needles = 0
  /// The wording of the needle prompts.
  public var needlePrompt = NeedlePrompt.paper
  /// Whether the prompts are the documents too: their haystacks' tokens are scored as well.
  public var scoresHaystack = false
  /// Whether all needles are at the beginning, instead of evenly spread.
  public var needlesAtStart = false
  /// The weight of the needles, from 0 to 1, if there are documents as well.
  public var needleWeight = 0.5
  /// The seed of the needles.
  public var seed: UInt64 = 0
  /// The part of each text that is used, from 1 to `parts`.
  ///
  /// The other parts remain for a test on unseen data.
  public var part = 1
  /// The number of parts.
  public var parts = 1

  /// Settings without any data, at a length in tokens.
  public init(length: Int) { self.length = length }
}
