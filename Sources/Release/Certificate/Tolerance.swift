public import Formats

/// How much a repeated measurement may differ from a certified one, because processors round sums
/// differently.
public struct Tolerance: Equatable, Sendable {
  /// The relative difference of a perplexity.
  public var perplexity: Double
  /// The absolute difference of a divergence, in nats per token.
  public var divergence: Double
  /// The absolute difference of a share of tokens.
  public var agreement: Double
  /// The share of prompts and questions that may be answered otherwise.
  public var answers: Double

  /// The tolerance for a precision: `fast` rounds more, and in another way on each kind of processor.
  init(isExact: Bool) {
    if isExact {
      (perplexity, divergence, agreement, answers) = (0.001, 0.0005, 0.005, 0.02)
    } else {
      (perplexity, divergence, agreement, answers) = (0.01, 0.005, 0.03, 0.05)
    }
  }

  /// The tolerance as JSON.
  public var json: JSONValue {
    .object([
      "perplexity": .number(perplexity), "kl": .number(divergence), "top1": .number(agreement),
      "answers": .number(answers),
    ])
  }

  /// What it says, in a sentence.
  public var text: String {
    func percent(_ share: Double) -> String { "\((100 * share).sixDigits) %" }
    return
      "tolerance: perplexities \(percent(perplexity)), divergences \(divergence.sixDigits), same tokens \(percent(agreement)), \(percent(answers)) of the answers"
  }
}
