import Formats
import Numerics
import Verify

/// What `verify --estimate` prints.
struct EstimateReport {
  private let estimate: VerifyEstimate
  /// The threads for which a time is given: this run's, and those of larger machines.
  private let threads: [Int]

  init(_ estimate: VerifyEstimate) {
    self.estimate = estimate
    threads = [estimate.threads] + [16, 64].filter { $0 > estimate.threads }
  }

  var text: String {
    let times = threads.map { count in
      let place = count == estimate.threads ? "with \(count) here" : "with \(count) of such cores"
      return "\(estimate.time(threads: count).words) \(place)"
    }
    let passes =
      estimate.passes == 1
      ? "one pass" : "\(estimate.passes) passes, the longest \(estimate.longest)"
    return """
      tokens  \(estimate.tokens) in \(passes)
      memory  \(estimate.memory.memoryText) besides the weights
      time    about \(times.joined(separator: ", "))
      """
  }

  func json(_ model: String) -> JSONValue {
    .object([
      "schema": DocumentSchema.estimate.json, "model": .string(model),
      "tokens": .number(estimate.tokens), "passes": .number(estimate.passes),
      "longest": .number(estimate.longest), "memory_bytes": .number(estimate.memory),
      "times": .array(
        threads.map { count in
          let seconds = estimate.time(threads: count) / .seconds(1)
          return .object([
            "threads": .number(count), "seconds": .number((seconds * 10).rounded() / 10),
          ])
        }),
    ])
  }
}
