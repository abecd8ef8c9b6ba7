import Glibc
import Numerics

/// What a comparison of two models adds up over tokens.
struct RetentionSums {
  /// A sum over tokens, and that of the squares.
  struct Sum {
    private(set) var total = 0.0
    private var squares = 0.0
    private var count = 0.0

    mutating func add(_ value: Double) {
      total += value
      squares += value * value
      count += 1
    }

    mutating func add(_ other: Sum) {
      total += other.total
      squares += other.squares
      count += other.count
    }

    var mean: Double { total / max(1, count) }

    /// The standard error of the mean.
    var error: Double {
      let variance = (squares - total * mean) / max(1, count - 1)
      return (max(0, variance) / max(1, count)).squareRoot()
    }
  }

  private var loss = Sum()
  private var baselineLoss = Sum()
  /// The model's loss less the baseline's.
  private var difference = Sum()
  /// The divergence of the model from its baseline, in nats.
  private(set) var divergence = Sum()
  private var agreements = 0
  private(set) var tokens = 0

  mutating func add(_ other: RetentionSums) {
    loss.add(other.loss)
    baselineLoss.add(other.baselineLoss)
    difference.add(other.difference)
    divergence.add(other.divergence)
    agreements += other.agreements
    tokens += other.tokens
  }

  /// Adds a token by the logits of both models: (rows, vocabulary).
  mutating func add(
    _ logits: Matrix, _ others: Matrix, row: Int, token: Int, _ engine: Engine
  ) {
    let (total, greedy) = engine.logSumExp(logits, row: row)
    let (otherTotal, otherGreedy) = engine.logSumExp(others, row: row)
    var divergence = 0.0
    for column in 0..<min(logits.columns, others.columns) {
      let before = Double(others[row, column]) - otherTotal
      guard before > -80 else { continue }
      divergence += exp(before) * (before - (Double(logits[row, column]) - total))
    }
    let (own, other) = (
      total - Double(logits[row, token]), otherTotal - Double(others[row, token])
    )
    loss.add(own)
    baselineLoss.add(other)
    difference.add(own - other)
    self.divergence.add(divergence)
    agreements += greedy == otherGreedy ? 1 : 0
    tokens += 1
  }

  var perplexity: Double { exp(loss.mean) }
  var baselinePerplexity: Double { exp(baselineLoss.mean) }
  var ratio: Double { exp(difference.mean) }
  var agreement: Double { Double(agreements) / Double(max(1, tokens)) }

  var errors: Retention.Errors {
    Retention.Errors(
      perplexity: perplexity * loss.error, ratio: ratio * difference.error,
      divergence: divergence.error)
  }
}
