import Formats
import Models
import Patch
import Verify

/// What a model card says about the context window: the factors, what the runtimes make of them,
/// and what was measured.
struct CardSection {
  private let inspection: Inspection
  private let name: String
  private let result: ResultDocument?
  private let before: ResultDocument?

  /// - Parameters:
  ///   - name: the model's name, which stands for its path.
  ///   - before: the same measurements of the model before its patch.
  init(
    _ inspection: Inspection, name: String, result: ResultDocument?, before: ResultDocument? = nil
  ) {
    self.inspection = inspection
    self.name = name
    self.result = result
    self.before = before
  }

  /// Lines of Markdown.
  var lines: [String] { head + runtimes + measurements }

  private var head: [String] { ["## Context window", "", statement, ""] }

  /// The windows and the factors, in a sentence.
  var statement: String {
    let geometry = inspection.geometry
    let mscale = inspection.factors?.longMscale.sixDigits ?? "1"
    let hash =
      inspection.mark["factors_sha256"].map {
        ", SHA-256 of the factors \(Markdown.code($0))"
      } ?? ""
    return """
      LongRoPE factors (arXiv 2402.13753, 2502.20082) extend the window of \
      \(geometry.originalWindow) tokens to \(geometry.window); attention scale (mscale) \
      \(mscale)\(hash).
      """
  }

  private var runtimes: [String] {
    let readings = inspection.readings.filter {
      $0.name != "paper" && [.ok, .divergent].contains($0.status)
    }
    guard !readings.isEmpty else { return [] }
    let header = ["runtime", "short inputs", "long inputs", "to serve the whole window"]
    return Markdown.table(header, readings.map(row)) + [""]
  }

  private func row(_ reading: RuntimeReading) -> [String] {
    let serving =
      Runtime(rawValue: reading.name)?.serving(window: inspection.geometry.window, model: name)
      ?? ""
    return [
      Markdown.escaped(reading.title), Markdown.escaped(reading.short?.name ?? "-"),
      Markdown.escaped(reading.long?.name ?? "-"),
      serving.hasPrefix("nothing") ? Markdown.escaped(serving) : Markdown.code(serving),
    ]
  }

  private var measurements: [String] {
    guard let result else { return [] }
    let tables = ResultTables(result, before: before, showsPaper: false).tables.flatMap { table in
      ["### \(Markdown.escaped(table.title))", ""]
        + Markdown.table(
          table.header.map(Markdown.escaped), table.rows.map { $0.map(Markdown.escaped) }) + [""]
    }
    let marks = result.marks.isEmpty ? "" : "\(Markdown.escaped(result.marks)). "
    return tables + [
      """
      \(marks)Measured by lrpatch \(Markdown.escaped(result.version)) on the CPU, following each \
      runtime's own choice of tables.
      """, "",
    ]
  }

  /// The worst runtime of each metric and length.
  var results: [CardResult] {
    guard let result else { return [] }
    let measured = result.measured
    return ResultTables(result).tables.flatMap(\.metrics).flatMap { metric in
      measured.lengths.compactMap { length -> CardResult? in
        let values = measured.realRuntimes.compactMap {
          measured.value(.init(metric: metric, runtime: $0, length: length))
        }
        let worst = metric.isBetterWhenLess ? values.max() : values.min()
        return worst.map {
          CardResult(
            metric: metric.rawValue,
            name: metric.isOfBenchmarks
              ? metric.rawValue : "\(metric.rawValue) at \(length) tokens", value: $0)
        }
      }
    }
  }
}
