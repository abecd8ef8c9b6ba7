import Inference
import Numerics
import Synchronization

/// The hidden states of a baseline after its last layer, kept for models that are compared with it
/// one after another.
///
/// They take a number for each token and each of the model's columns. Logits would take one for each
/// token of the vocabulary, and are computed again.
final class BaselineStates: Sendable {
  private struct Entry: Sendable {
    var schedule: RopeSchedule
    var variant: Transformer.Variant?
    var states: Matrix  // (scored tokens, hidden)
  }

  private struct Content: Sendable {
    var bytes = 0
    /// By the tokens of a window.
    var entries: [[Int]: [Entry]] = [:]
  }

  private let limit: Int
  private let content = Mutex(Content())

  /// - Parameter limit: the most bytes that are kept.
  init(limit: Int) { self.limit = limit }

  /// The states of a window's scored tokens.
  /// - Parameters:
  ///   - variant: of the baseline; nil for the baseline itself.
  ///   - compute: computes them, if they are not kept.
  func of(
    _ window: Perplexity.Window, _ schedule: RopeSchedule, _ variant: Transformer.Variant?,
    compute: () throws -> Matrix
  ) rethrows -> Matrix {
    let known = content.withLock { content in
      content.entries[window.tokens]?.first {
        $0.schedule == schedule && $0.variant == variant
          && $0.states.rows == window.scored.count
      }
    }
    if let known { return known.states }
    let states = try compute()
    content.withLock { content in
      let bytes = states.rows * states.columns * MemoryLayout<Float>.size
      guard content.bytes + bytes <= limit else { return }
      content.bytes += bytes
      content.entries[window.tokens, default: []].append(
        Entry(schedule: schedule, variant: variant, states: states))
    }
    return states
  }
}
