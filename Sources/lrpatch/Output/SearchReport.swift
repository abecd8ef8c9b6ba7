import Formats
import Foundation
import Patch
import Release
import Search

/// What a search leaves: the factors with their provenance, and what is printed about them.
struct SearchReport {
  private let command: SearchCommand
  private let outcome: SearchOutcome
  private let heldOut: HeldOut?

  init(_ command: SearchCommand, _ outcome: SearchOutcome, _ heldOut: HeldOut?) {
    self.command = command
    self.outcome = outcome
    self.heldOut = heldOut
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
    if let csv = command.fileArguments.csv {
      let lines = (set.long.rows.first ?? []).map { "\($0)\n" }.joined()
      try ExclusiveOutput.write(Array(lines.utf8), to: csv)
    }
    if let svg = command.fileArguments.svg {
      try ExclusiveOutput.write(Array(convergence.utf8), to: svg)
    }
    if command.common.json {
      Output.json(json(set, best))
    } else if !command.common.quiet {
      Output.result(text(set, best))
    }
  }

  // MARK: JSON

  private func json(_ set: FactorSet, _ best: Evaluated) -> JSONValue {
    .object([
      "schema": DocumentSchema.searchResult.json, "model": .string(command.model),
      "output": .string(command.output), "fitness": .number(exp(best.fitness)),
      "cost": outcome.costJSON,
      "seconds": .number(outcome.seconds), "complete": .bool(outcome.stop == nil),
      "factors": set.json, "generations": .array(outcome.generations.map(Self.json)),
      "held_out": heldOut.map(Self.json) ?? .null,
    ])
  }

  private static func json(_ generation: SearchLoop.Generation) -> JSONValue {
    .object([
      "number": .number(generation.number), "fitness": .number(exp(generation.fitness)),
      "evaluations": .number(generation.cost.evaluations),
      "tokens": .number(generation.cost.tokens),
    ])
  }

  private static func json(_ heldOut: HeldOut) -> JSONValue {
    let comparison = heldOut.comparison
    return .object([
      "part": heldOut.part.map { .string("\($0)") } ?? .null, "units": .number(heldOut.units),
      "sets": .array(
        heldOut.names.indices.map { index in
          let difference = comparison.difference(0, to: index)
          return .object([
            "name": .string(heldOut.names[index]),
            "perplexity": .number(comparison.estimate(index).perplexity),
            "difference": index == 0 ? .null : .number(difference.mean),
            "half_width": index == 0 ? .null : .number(difference.halfWidth),
            "found_is": index == 0
              ? .null : .string(comparison.verdict(0, against: index).rawValue),
          ])
        }),
    ])
  }

  // MARK: Text

  /// The comparison on unseen data.
  private var comparison: [String] {
    guard let heldOut else { return [] }
    let comparison = heldOut.comparison
    let rows = heldOut.names.indices.map { index in
      let difference = comparison.difference(0, to: index)
      return [
        heldOut.names[index], Self.rounded(comparison.estimate(index).perplexity),
        index == 0
          ? ""
          : "found \(comparison.verdict(0, against: index).rawValue) (\(Self.rounded(difference.mean)) +- \(Self.rounded(difference.halfWidth)))",
      ]
    }
    let place =
      heldOut.part.map {
        let what = outcome.checkpoint.fitness.documents > 0 ? "documents" : "prompts"
        return "part \($0) of the texts, \(heldOut.units) \(what)"
      }
      ?? "\(heldOut.units) other needles"
    return ["", "held out (\(place)): \(heldOut.verdict)"]
      + TextColumns.lines(rows).map { "  " + $0 }
  }

  private var losses: [Double] { outcome.generations.map { exp($0.fitness) } }

  private func text(_ set: FactorSet, _ best: Evaluated) -> String {
    let checkpoint = outcome.checkpoint
    let (window, algorithm) = (checkpoint.space.window, checkpoint.settings.algorithm.rawValue)
    let count = outcome.generations.count
    let since =
      outcome.generations.first.map {
        ", after the first population \(Self.rounded(exp($0.fitness))); \(count) \(count == 1 ? "generation" : "generations")"
      }
      ?? (best.isComplete
        ? "; the first population was not evaluated whole"
        : ", on the \(best.losses.count) documents or needles that were measured; it is the best of what was begun")
    let lines = [
      "\(command.output): \(set.long.pairs) factors for \(window) tokens, by \(algorithm)",
      "\(fitnessName)  \(Self.rounded(exp(best.fitness)))\(since)",
      cost,
    ]
    return (lines + TextPlot.lines(losses, label: "generation") + comparison)
      .joined(separator: "\n")
  }

  private var fitnessName: String {
    switch outcome.checkpoint.fitness.kind {
    case .perplexity: "perplexity"
    case .needle: "needle perplexity"
    case .both: "fitness"
    }
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
