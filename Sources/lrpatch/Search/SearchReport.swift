import Formats
import Foundation
import Patch
import Search

/// What a search leaves: the factors with their provenance, and what it says.
struct SearchReport {
  private let command: SearchCommand
  private let checkpoint: Checkpoint
  private let outcome: SearchJob.Outcome

  init(_ command: SearchCommand, _ checkpoint: Checkpoint, _ outcome: SearchJob.Outcome) {
    self.command = command
    self.checkpoint = checkpoint
    self.outcome = outcome
  }

  func write() throws {
    guard let best = outcome.run.best else { return }
    let set = try factors(best)
    try NewFile.write(JSONStyle.standard.encode(set.json) + [0x0A], to: command.output)
    if let csv = command.csv {
      let lines = (set.long.rows.first ?? []).map { "\($0)\n" }.joined()
      try NewFile.write(Array(lines.utf8), to: csv)
    }
    if let svg = command.svg { try NewFile.write(Array(convergence.utf8), to: svg) }
    if command.common.json {
      Output.json(json(set, best))
    } else if !command.common.quiet {
      Output.result(text(set, best))
    }
  }

  /// Six digits are more than any runtime keeps of an effect.
  private static func rounded(_ value: Double) -> Double { (value * 1e6).rounded() / 1e6 }

  private func factors(_ best: Evaluated) throws -> FactorSet {
    if let text = checkpoint.onto { return try readjusted(best, text) }
    let space = checkpoint.space
    let long = space.factors(of: best.candidate).map(Self.rounded)
    var mscale = try MscaleChoice(checkpoint.mscale).value
    if let value = best.candidate.mscale { mscale = .literal(long: Self.rounded(value), short: Self.rounded(value)) }
    return FactorSet(
      originalWindow: checkpoint.originalWindow, window: space.settings.window, long: .uniform(long),
      short: checkpoint.short.map { .uniform($0) }, mscale: mscale, startTokens: best.candidate.startTokens,
      requires: .init(rotaryDimensions: space.settings.rotaryDimensions, theta: space.settings.theta),
      provenance: provenance(best))
  }

  /// What was found as a table of the set that it belongs to.
  private func readjusted(_ best: Evaluated, _ text: String) throws -> FactorSet {
    var set = try FactorSet(json: JSONDocument(parsing: Array(text.utf8)).value, subject: "the checkpoint")
    let table = FactorTable.uniform(checkpoint.space.factors(of: best.candidate).map(Self.rounded))
    let length = checkpoint.space.settings.window
    if length <= checkpoint.originalWindow {
      set.short = table
    } else {
      set.buckets.removeAll { $0.maximumLength == length }
      set.buckets.append(FactorSet.Bucket(maximumLength: length, factors: table))
      set.buckets.sort { $0.maximumLength < $1.maximumLength }
    }
    set.provenance = provenance(best)
    return set
  }

  private func provenance(_ best: Evaluated) -> JSONValue {
    let (fitness, settings) = (checkpoint.fitness, checkpoint.settings)
    var members = [
      JSONMember("tool", .string("lrpatch \(lrpatchVersion)")),
      JSONMember("algorithm", .string(settings.algorithm.rawValue)),
      JSONMember("seed", .number(String(settings.seed))),
      JSONMember("model_sha256", .string(checkpoint.model.sha256)),
      JSONMember("texts", .array(checkpoint.texts.map(Self.text))),
      JSONMember("documents", .number(fitness.documents)), JSONMember("needles", .number(fitness.needles)),
      JSONMember("length", .number(fitness.length)), JSONMember("units_sha256", .string(checkpoint.unitsSHA256)),
    ]
    if fitness.documents > 0 { members.append(JSONMember("method", .string(fitness.method))) }
    if fitness.needles > 0 { members.append(JSONMember("needle_prompt", .string(fitness.needlePrompt.rawValue))) }
    if let pair = best.candidate.criticalPair { members.append(JSONMember("critical_pair", .number(pair))) }
    if let scales = best.candidate.pairMscales {
      members.append(JSONMember("pair_mscales", .numbers(scales.map(Self.rounded))))
    }
    members += [
      JSONMember("loss", .number(best.fitness)), JSONMember("precision", .string(checkpoint.precision)),
      JSONMember("cost", cost),
    ]
    return .object(members)
  }

  private static func text(_ text: Checkpoint.Text) -> JSONValue {
    .object([
      "name": .string(text.path.isEmpty ? "shipped with lrpatch" : FileSystem.name(of: text.path)),
      "sha256": .string(text.sha256),
    ])
  }

  private var cost: JSONValue {
    let cost = outcome.run.state.cost
    return .object([
      "generations": .number(outcome.run.state.generations.count), "evaluations": .number(cost.evaluations),
      "stopped_early": .number(cost.stopped), "tokens": .number(cost.tokens), "audited": .number(cost.audited),
      "wrongly_stopped": .number(cost.wronglyStopped), "audit_tokens": .number(cost.auditTokens),
    ])
  }

  private func json(_ set: FactorSet, _ best: Evaluated) -> JSONValue {
    .object([
      "schema": .string("lrpatch.search-result/1"), "model": .string(command.model),
      "output": .string(command.output), "fitness": .number(exp(best.fitness)), "cost": cost,
      "seconds": .number(outcome.seconds), "complete": .bool(outcome.stop == nil), "factors": set.json,
      "generations": .array(
        outcome.run.state.generations.map {
          .object([
            "number": .number($0.number), "fitness": .number(exp($0.fitness)),
            "evaluations": .number($0.cost.evaluations), "tokens": .number($0.cost.tokens),
          ])
        }),
    ])
  }

  private func text(_ set: FactorSet, _ best: Evaluated) -> String {
    let cost = outcome.run.state.cost
    let (first, last) = (outcome.run.state.generations.first, outcome.run.state.generations.last)
    var lines = [
      "\(command.output): \(set.long.pairs) factors for \(checkpoint.space.settings.window) tokens, by \(checkpoint.settings.algorithm.rawValue)"
    ]
    let name =
      checkpoint.fitness.documents == 0
      ? "needle perplexity" : checkpoint.fitness.needles == 0 ? "perplexity" : "fitness"
    lines.append(
      "\(name)  \(InspectReport.number(rounded3(exp(best.fitness)))), after the first population \(InspectReport.number(rounded3(exp(first?.fitness ?? 0)))); \(last.map { $0.number + 1 } ?? 0) generations"
    )
    let wrong =
      cost.audited == 0
      ? "" : "; of \(cost.audited) that were finished to check, \(cost.wronglyStopped) were stopped wrongly"
    lines.append(
      "cost  \(cost.evaluations) candidates, \(cost.stopped) of them stopped early\(wrong), \(cost.tokens) tokens, \(Int(outcome.seconds.rounded())) s"
    )
    lines.append(contentsOf: TextPlot.lines(outcome.run.state.generations.map { exp($0.fitness) }, label: "generation"))
    return lines.joined(separator: "\n")
  }

  private func rounded3(_ value: Double) -> Double { (value * 1000).rounded() / 1000 }

  private var convergence: String {
    let values = outcome.run.state.generations.map { exp($0.fitness) }
    let plot = LinePlot(
      title: "best fitness", ylabel: "perplexity", xlabel: "generation", isLogarithmic: true,
      series: [("best", values)], levels: [], marks: [])
    return SVG.document(width: LinePlot.width, height: LinePlot.height, [plot.body(at: 0)])
  }
}

/// A line of a list, in rows of text.
enum TextPlot {
  static func lines(_ values: [Double], label: String, width: Int = 60, height: Int = 8) -> [String] {
    guard values.count > 1, let low = values.min(), let high = values.max(), high > low else { return [] }
    let columns = min(width, values.count)
    let picked = (0..<columns).map { values[$0 * (values.count - 1) / max(1, columns - 1)] }
    var rows = (0..<height).map { _ in Array(repeating: " ", count: columns) }
    for (column, value) in picked.enumerated() {
      let row = Int(((high - value) / (high - low) * Double(height - 1)).rounded())
      rows[row][column] = "*"
    }
    let names = rows.indices.map { row in
      row == 0
        ? InspectReport.number((high * 1000).rounded() / 1000)
        : row == height - 1 ? InspectReport.number((low * 1000).rounded() / 1000) : ""
    }
    let margin = names.map(\.count).max() ?? 0
    return zip(names, rows).map { name, row in
      (String(repeating: " ", count: margin - name.count) + name + " |" + row.joined()).trimmingEnd
    } + [String(repeating: " ", count: margin) + " +" + String(repeating: "-", count: columns) + " \(label)"]
  }
}

extension String {
  fileprivate var trimmingEnd: String { String(reversed().drop { $0 == " " }.reversed()) }
}

/// A search, generation by generation, as lines of JSON.
struct SearchLog {
  static let schema = "lrpatch.search-log/1"

  private let lines: [JSONValue]

  init(_ checkpoint: Checkpoint, _ state: SearchRun.State) {
    let head: JSONValue = .object([
      "schema": .string(Self.schema), "algorithm": .string(checkpoint.settings.algorithm.rawValue),
      "seed": .number(String(checkpoint.settings.seed)), "window": .number(checkpoint.space.settings.window),
      "units_sha256": .string(checkpoint.unitsSHA256),
    ])
    lines =
      [head]
      + state.generations.map { generation in
        .object([
          "generation": .number(generation.number), "fitness": .number(exp(generation.fitness)),
          "evaluations": .number(generation.cost.evaluations), "stopped_early": .number(generation.cost.stopped),
          "tokens": .number(generation.cost.tokens),
          "factors": .numbers(checkpoint.space.factors(of: generation.best)),
          "start_tokens": .number(generation.best.startTokens),
          "critical_pair": generation.best.criticalPair.map { .number($0) } ?? .null,
          "mscale": .number(generation.best.mscale ?? checkpoint.space.mscale),
        ])
      }
  }

  func write(to path: String) throws {
    try OutputFile.replace(path, by: lines.flatMap { JSONStyle.compact.encode($0) + [0x0A] })
  }
}
