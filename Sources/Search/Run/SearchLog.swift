import Formats
import Glibc

/// A search, generation by generation, as lines of JSON (specs/search-log.schema.json).
struct SearchLog {
  static let schema = DocumentSchema.searchLog.rawValue

  private let lines: [JSONValue]

  init(_ checkpoint: Checkpoint, _ state: SearchLoop.State) {
    let head: JSONValue = .object([
      "schema": .string(Self.schema),
      "algorithm": .string(checkpoint.settings.algorithm.rawValue),
      "seed": .number(String(checkpoint.settings.seed)),
      "window": .number(checkpoint.space.window),
      "units_sha256": .string(checkpoint.unitsSHA256),
    ])
    lines = [head] + state.generations.map { Self.line($0, checkpoint.space) }
  }

  private static func line(_ generation: SearchLoop.Generation, _ space: SearchSpace) -> JSONValue {
    let (best, cost) = (generation.best, generation.cost)
    return .object([
      "generation": .number(generation.number), "fitness": .number(exp(generation.fitness)),
      "evaluations": .number(cost.evaluations), "stopped_early": .number(cost.stopped),
      "tokens": .number(cost.tokens), "factors": .numbers(space.factors(of: best)),
      "start_tokens": .number(best.startTokens),
      "critical_pair": best.criticalPair.map { .number($0) } ?? .null,
      "mscale": .number(best.mscale ?? space.mscale),
    ])
  }

  func write(to path: String) throws {
    try OutputFile.replace(path, by: lines.flatMap { JSONStyle.compact.encode($0) + [0x0A] })
  }
}
