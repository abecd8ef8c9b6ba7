import Formats
import Foundation
import Patch
import Release
import Search

/// What a search leaves: the factors with their provenance, and what is printed about them.
struct SearchReport {
  private let command: SearchCommand
  private let outcome: SearchOutcome

  init(_ command: SearchCommand, _ outcome: SearchOutcome) {
    self.command = command
    self.outcome = outcome
  }

  /// One generation in a progress line.
  static func label(_ generation: SearchLoop.Generation) -> String {
    let cost = generation.cost
    return """
      generation \(generation.number): best \(exp(generation.fitness).sixDigits), \
      \(cost.evaluations) candidates (\(cost.stopped) stopped early), \(cost.tokens / 1000)k tokens
      """
  }

  func write() throws {
    guard let best = outcome.best, let set = outcome.factors else { return }
    try ExclusiveOutput.write(JSONStyle.standard.encode(set.json) + [0x0A], to: command.output)
    if let csv = command.csv {
      let lines = (set.long.rows.first ?? []).map { "\($0)\n" }.joined()
      try ExclusiveOutput.write(Array(lines.utf8), to: csv)
    }
    if let svg = command.svg { try ExclusiveOutput.write(Array(convergence.utf8), to: svg) }
    if command.common.json {
      Output.json(json(set, best))
    } else if !command.common.quiet {
      Output.result(text(set, best))
    }
  }

  // MARK: JSON

  private func json(_ set: FactorSet, _ best: Evaluated) -> JSONValue {
    .object([
      "schema": .string("lrpatch.search-result/1"), "model": .string(command.model),
      "output": .string(command.output), "fitness": .number(exp(best.fitness)),
      "cost": outcome.checkpoint.state?.costJSON ?? .null,
      "seconds": .number(outcome.seconds), "complete": .bool(outcome.stop == nil),
      "factors": set.json, "generations": .array(outcome.generations.map(Self.json)),
    ])
  }

  private static func json(_ generation: SearchLoop.Generation) -> JSONValue {
    .object([
      "number": .number(generation.number), "fitness": .number(exp(generation.fitness)),
      "evaluations": .number(generation.cost.evaluations),
      "tokens": .number(generation.cost.tokens),
    ])
  }

  // MARK: Text

  private var losses: [Double] { outcome.generations.map { exp($0.fitness) } }

  private func text(_ set: FactorSet, _ best: Evaluated) -> String {
    let checkpoint = outcome.checkpoint
    let (window, algorithm) = (checkpoint.space.window, checkpoint.settings.algorithm.rawValue)
    let first = exp(outcome.generations.first?.fitness ?? 0)
    let count = outcome.generations.last.map { $0.number + 1 } ?? 0
    let lines = [
      "\(command.output): \(set.long.pairs) factors for \(window) tokens, by \(algorithm)",
      """
      \(fitnessName)  \(Self.rounded(exp(best.fitness))), after the first population \
      \(Self.rounded(first)); \(count) generations
      """,
      cost,
    ]
    return (lines + TextPlot.lines(losses, label: "generation")).joined(separator: "\n")
  }

  private var fitnessName: String {
    let fitness = outcome.checkpoint.fitness
    if fitness.documents == 0 { return "needle perplexity" }
    return fitness.needles == 0 ? "perplexity" : "fitness"
  }

  private var cost: String {
    let cost = outcome.cost
    let audit =
      cost.audited == 0
      ? ""
      : "; of \(cost.audited) finished as a check, \(cost.wronglyStopped) were stopped wrongly"
    return """
      cost  \(cost.evaluations) candidates, \(cost.stopped) of them stopped early\(audit), \
      \(cost.tokens) tokens, \(Int(outcome.seconds.rounded())) s
      """
  }

  private static func rounded(_ value: Double) -> String {
    ((value * 1000).rounded() / 1000).sixDigits
  }

  // MARK: SVG

  private var convergence: String {
    let plot = LinePlot(
      title: "best fitness", ylabel: "perplexity", xlabel: "generation", isLogarithmic: true,
      series: [("best", losses)])
    return SVG.document(
      width: LinePlot.width, height: LinePlot.height, [plot.body(at: 0)])
  }
}
