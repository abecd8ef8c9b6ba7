import Formats
import Models
import Patch
import Release
import Verify

/// `inspect` as text, and what its JSON says about a file of which only keys and tensors can be
/// read.
enum InspectReport {
  static func bareMembers(_ session: borrowing ModelSession) -> [JSONMember] {
    [
      JSONMember("schema", .string(Inspection.schema)),
      JSONMember("model", .string(session.path)),
      JSONMember("format", .string(session.format.rawValue)),
    ]
  }

  /// - Parameter problem: why `verify` cannot run the model, or nil.
  static func text(_ inspection: Inspection, problem: String? = nil) -> String {
    let geometry = inspection.geometry
    var lines = [
      "\(inspection.path)",
      "  format            \(inspection.format.rawValue), \(geometry.architecture)",
      "  window            \(geometry.window) tokens, originally \(geometry.originalWindow)",
      "  rope              \(geometry.scalingType), theta \(geometry.theta.sixDigits), \(geometry.rotaryDimensions) rotary dimensions",
      "  critical pair     \(inspection.theoreticalCriticalPair) of \(geometry.rotaryDimensions / 2) (the first that does not turn fully within \(geometry.originalWindow) tokens)",
    ]
    if let factors = inspection.factors {
      lines += [
        "  long factors      \(range(factors.long))",
        "  short factors     \(range(factors.short))",
        "  mscale            \(mscale(factors))",
      ]
    } else {
      lines.append("  factors           none")
    }
    lines.append("  frequencies       \(frequencies(inspection.readings.first?.long))")
    if let problem { lines.append("  cannot be run     \(problem)") }
    if let version = inspection.mark["version"] {
      lines.append(
        "  patched by        lrpatch \(version.sanitized), factors \((inspection.mark["factors_sha256"] ?? "").prefix(12))"
      )
    }
    lines += ["", "What each runtime will use"]
    lines += table(inspection.readings)
    return lines.joined(separator: "\n")
  }

  private static func range(_ list: [Double]) -> String {
    let least = list.min() ?? 0
    let most = list.max() ?? 0
    return least == most ? "all \(least.sixDigits)" : "\(least.sixDigits) to \(most.sixDigits)"
  }

  private static func mscale(_ factors: ModelFactors) -> String {
    let both =
      factors.mscalesDiffer
      ? "\(factors.longMscale.sixDigits) long, \(factors.shortMscale.sixDigits) short"
      : factors.longMscale.sixDigits
    return both + (factors.isMscaleDerived ? " (sqrt(1 + ln s / ln L0))" : " (literal)")
  }

  /// The greatest width of a line.
  private static let width = 100

  /// Runtimes that agree share a row.
  private static func table(_ readings: [RuntimeReading]) -> [String] {
    var lines = rows(["status", "short input", "long input", "runtimes"], readings) {
      [$0.status.rawValue, use($0.short), use($0.long)]
    }
    let switching = readings.filter { !$0.switching.isEmpty }
    if !switching.isEmpty {
      lines += ["", "When a runtime uses the long factors"]
      lines += rows(nil, switching) { [$0.switching] }
    }
    let notes = readings.flatMap { reading in reading.notes.map { (reading.title, $0) } }
    if !notes.isEmpty {
      lines.append("")
      for text in notes.map(\.1).uniqued {
        let titles = notes.filter { $0.1 == text }.map(\.0).joined(separator: ", ")
        let wrapped = TextColumns.wrapped("\(titles): \(text)", width: width - 4)
        lines += wrapped.enumerated().map { ($0 == 0 ? "  " : "    ") + $1 }
      }
    }
    let served = readings.filter { !$0.serving.isEmpty && $0.status != .plain }
    if !served.isEmpty {
      lines += ["", "To serve the whole window"]
      lines += ServingAdvice.lines(served)
    }
    return lines
  }

  /// One row for all readings with the same cells, which ends with their names.
  private static func rows(
    _ header: [String]?, _ readings: [RuntimeReading], cells: (RuntimeReading) -> [String]
  ) -> [String] {
    let rows = readings.map(cells).uniqued.map { row in
      row + [readings.filter { cells($0) == row }.map(\.title).joined(separator: ", ")]
    }
    return TextColumns.lines([header].compactMap(\.self) + rows, width: width - 2).map { "  " + $0 }
  }

  /// The lowest and the highest frequency, in radians per token.
  private static func frequencies(_ table: UsedTable?) -> String {
    guard let list = table?.inverseFrequencies, let least = list.min(), let most = list.max() else {
      return "-"
    }
    return "\(least.sixDigits) to \(most.sixDigits) radians per token"
  }

  private static func use(_ table: UsedTable?) -> String {
    guard let table else { return "-" }
    return "\(table.name) x \(table.mscale.sixDigits)"
  }
}
