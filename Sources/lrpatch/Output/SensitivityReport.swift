import Formats
import Foundation
import Release
import Search

/// The sensitivity of a loss to factors, as text, JSON and SVG.
struct SensitivityReport {
  private let sensitivity: Sensitivity
  private let factors: String
  private let fitness: EvaluationArguments.Fitness

  init(
    _ sensitivity: Sensitivity, factors: String, fitness: EvaluationArguments.Fitness
  ) {
    self.sensitivity = sensitivity
    self.factors = factors
    self.fitness = fitness
  }

  // MARK: Text

  var text: String {
    let what = fitness == .needle ? "needle perplexity" : "perplexity"
    let units = "\(sensitivity.units) \(fitness == .needle ? "needles" : "documents")"
    let head = [
      """
      \(what)  \(Self.rounded(exp(sensitivity.loss))) at \(sensitivity.length) tokens, \(units)
      """,
      """
      mscale  1 % more changes it by \(percent(sensitivity.mscaleSlope)) %
      """,
      sensitivity.slowestThatMatters.map {
        "pairs up to \($0) matter: beyond it, a tenth more or less changes it by less than 0.1 %"
      } ?? "no factor matters: a tenth more or less changes it by less than 0.1 %",
      "",
    ]
    return (head + table + [""] + layers).joined(separator: "\n")
  }

  private var table: [String] {
    let title = ["pair", "factor", "turns", "1 % more", "room", ""]
    let rows = sensitivity.pairs.enumerated().map { index, pair in
      [
        String(index), pair.factor.sixDigits, Self.rounded(pair.turns),
        "\(percent(pair.slope)) %", room(pair), bar(pair),
      ]
    }
    return TextColumns.lines([title] + rows)
  }

  /// The change of perplexity, in per cent, by 1 % more of something.
  private func percent(_ slope: Double) -> String {
    let change = (exp(slope * 0.01) - 1) * 100
    return abs(change) < 5e-5 ? "0" : Self.sign(change) + String(format: "%.4f", abs(change))
  }

  private static func sign(_ value: Double) -> String { value < 0 ? "-" : "+" }

  private func room(_ pair: Sensitivity.Pair) -> String {
    func side(_ share: Double?, _ sign: String) -> String {
      guard let share, share < 10 else { return "any" }
      return sign + (share < 0.1 ? String(format: "%.3f", share * 100) : Self.rounded(share * 100))
        + " %"
    }
    return "\(side(pair.room.down, "-")) \(side(pair.room.up, "+"))"
  }

  /// A bar that is the longer the less room there is, a character for a factor of 2.
  private func bar(_ pair: Sensitivity.Pair) -> String {
    let least = [pair.room.down, pair.room.up].compactMap(\.self).min() ?? 1
    let length = max(0, -log2(max(least, 1e-9)))
    return length < 0.5 ? "" : TextStyle.terminal.bar(length / 24, width: 24)
  }

  /// The slopes of each layer, as a share of the steepest layer's.
  private var layers: [String] {
    let lengths = sensitivity.layers.map { slopes in
      slopes.reduce(0) { $0 + $1 * $1 }.squareRoot()
    }
    let greatest = max(lengths.max() ?? 1, 1e-12)
    let rows = lengths.enumerated().map { index, length in
      let steepest = sensitivity.layers[index].indices.max {
        abs(sensitivity.layers[index][$0]) < abs(sensitivity.layers[index][$1])
      }
      return [
        String(index), Self.rounded(length), steepest.map(String.init) ?? "",
        TextStyle.terminal.bar(length / greatest, width: 24),
      ]
    }
    return TextColumns.lines([["layer", "slope", "most by pair", ""]] + rows)
  }

  private static func rounded(_ value: Double) -> String {
    ((value * 1000).rounded() / 1000).sixDigits
  }

  // MARK: JSON

  func json(_ model: String) -> JSONValue {
    .object([
      "schema": DocumentSchema.sensitivity.json, "model": .string(model),
      "factors": .string(factors), "length": .number(sensitivity.length),
      "fitness": .string(fitness.rawValue), "units": .number(sensitivity.units),
      "loss": .number(sensitivity.loss), "tolerance": .number(Sensitivity.tolerance),
      "mscale_slope": .number(sensitivity.mscaleSlope),
      "slowest_that_matters": sensitivity.slowestThatMatters.map { .number($0) } ?? .null,
      "pairs": .array(sensitivity.pairs.map(Self.json)),
      "layers": .array(sensitivity.layers.map { .numbers($0) }),
      "remarks": .array(sensitivity.remarks.map { .string($0) }),
    ])
  }

  private static func json(_ pair: Sensitivity.Pair) -> JSONValue {
    .object([
      "factor": .number(pair.factor), "turns": .number(pair.turns), "slope": .number(pair.slope),
      "curvature": .number(pair.curvature),
      "room_down": pair.room.down.map { .number($0) } ?? .null,
      "room_up": pair.room.up.map { .number($0) } ?? .null,
    ])
  }

  // MARK: SVG

  var svg: String {
    let name = "\(FileSystem.name(of: factors)), \(sensitivity.length) tokens"
    let room = sensitivity.pairs.map { pair in
      min(1, [pair.room.down, pair.room.up].compactMap(\.self).min() ?? 1) * 100
    }
    let marks = sensitivity.slowestThatMatters.map { [(pair: $0, name: "slowest that matters")] }
    let upper = LinePlot(
      title: name, ylabel: "slope, nats", isLogarithmic: false,
      series: [("slope", sensitivity.pairs.map(\.slope))], levels: [("0", 0)], marks: marks ?? [],
      isStepped: true)
    let lower = LinePlot(
      title: "change of a factor that raises perplexity by 0.1 %", ylabel: "per cent",
      isLogarithmic: true, series: [("room", room)], marks: marks ?? [], isStepped: true)
    return SVG.document(
      width: LinePlot.width, height: 2 * LinePlot.height,
      [upper.body(at: 0), lower.body(at: LinePlot.height)])
  }
}
