import Formats
import Patch

/// `inspect` as text and as JSON (specs/inspect.schema.json).
enum InspectReport {
  static let schema = "lrpatch.inspect/1"

  // MARK: JSON

  static func members(_ inspection: Inspection) -> [JSONMember] {
    let geometry = inspection.geometry
    return [
      JSONMember("schema", .string(schema)),
      JSONMember("model", .string(inspection.path)),
      JSONMember("format", .string(inspection.format)),
      JSONMember("architecture", .string(geometry.architecture)),
      JSONMember(
        "rope",
        .object([
          "type": .string(geometry.scalingType),
          "theta": .number(geometry.theta),
          "rotary_dimensions": .number(geometry.rotaryDimensions),
          "original_window": .number(geometry.originalWindow),
          "window": .number(geometry.window),
          "theoretical_critical_pair": .number(inspection.theoreticalCriticalPair),
        ])),
      JSONMember("factors", inspection.factors.map(json) ?? .null),
      JSONMember("patched_by", stamp(inspection)),
      JSONMember("runtimes", .array(inspection.readings.map(json))),
    ]
  }

  /// For a file of which only keys and tensors can be told.
  static func bareMembers(_ session: borrowing ModelSession) -> [JSONMember] {
    [
      JSONMember("schema", .string(schema)),
      JSONMember("model", .string(session.path)),
      JSONMember("format", .string(session.kind == .folder ? "huggingface" : "gguf")),
    ]
  }

  private static func stamp(_ inspection: Inspection) -> JSONValue {
    guard !inspection.stamp.isEmpty else { return .null }
    return .object(
      inspection.stamp.sorted { $0.key < $1.key }.map { JSONMember($0.key, .string($0.value)) })
  }

  private static func json(_ factors: ModelFactors) -> JSONValue {
    .object([
      "long": .numbers(factors.long),
      "short": .numbers(factors.short),
      "mscale": .object([
        "long": .number(factors.longMscale), "short": .number(factors.shortMscale),
      ]),
    ])
  }

  private static func json(_ reading: RuntimeReading) -> JSONValue {
    .object([
      "runtime": .string(reading.name),
      "status": .string(reading.status.rawValue),
      "notes": .array(reading.notes.map { .string($0) }),
      "short": reading.short.map(json) ?? .null,
      "long": reading.long.map(json) ?? .null,
      "switch": .string(reading.switching),
      "serve": .string(reading.serving),
    ])
  }

  private static func json(_ table: UsedTable) -> JSONValue {
    .object([
      "table": .string(table.name),
      "mscale": .number(table.mscale),
      "inverse_frequencies": table.inverseFrequencies.map { .numbers($0) } ?? .null,
    ])
  }

  // MARK: Text

  static func text(_ inspection: Inspection) -> String {
    let geometry = inspection.geometry
    var lines = [
      "\(inspection.path)",
      "  format            \(inspection.format), \(geometry.architecture)",
      "  window            \(geometry.window) tokens, originally \(geometry.originalWindow)",
      "  rope              \(geometry.scalingType), theta \(number(geometry.theta)), \(geometry.rotaryDimensions) rotary dimensions",
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
    if let version = inspection.stamp["version"] {
      lines.append(
        "  patched by        lrpatch \(version.sanitized), factors \((inspection.stamp["factors_sha256"] ?? "").prefix(12))"
      )
    }
    lines += ["", "What each runtime will use"]
    lines += table(inspection.readings)
    return lines.joined(separator: "\n")
  }

  private static func range(_ list: [Double]) -> String {
    let least = list.min() ?? 0
    let most = list.max() ?? 0
    return least == most ? "all \(number(least))" : "\(number(least)) to \(number(most))"
  }

  private static func mscale(_ factors: ModelFactors) -> String {
    let both =
      factors.mscalesDiffer
      ? "\(number(factors.longMscale)) long, \(number(factors.shortMscale)) short"
      : number(factors.longMscale)
    return both + (factors.isMscaleDerived ? " (sqrt(1 + ln s / ln L0))" : " (literal)")
  }

  private static func table(_ readings: [RuntimeReading]) -> [String] {
    var rows = [["runtime", "status", "short input", "long input", "frequencies", "switch"]]
    for reading in readings {
      rows.append([
        reading.title, reading.status.rawValue, use(reading.short), use(reading.long),
        frequencies(reading.long), reading.switching,
      ])
    }
    var lines = columns(rows).map { "  " + $0 }
    for reading in readings {
      lines += reading.notes.map { "  \(reading.title): \($0)" }
    }
    let served = readings.filter { !$0.serving.isEmpty && $0.status != .plain }
    if !served.isEmpty {
      lines += ["", "To serve the whole window"]
      lines += columns(served.map { [$0.title, $0.serving] }).map { "  " + $0 }
    }
    return lines
  }

  /// The lowest and the highest, in radians a token.
  private static func frequencies(_ table: UsedTable?) -> String {
    guard let list = table?.inverseFrequencies, let least = list.min(), let most = list.max() else {
      return "-"
    }
    return "\(number(least)) to \(number(most))"
  }

  private static func use(_ table: UsedTable?) -> String {
    guard let table else { return "-" }
    return "\(table.name) x \(number(table.mscale))"
  }

  /// Up to six significant digits.
  static func number(_ value: Double) -> String {
    if value == value.rounded(), abs(value) < 1e15 { return String(Int(value)) }
    let magnitude = value.magnitude
    var scale = 1.0
    while magnitude * scale < 100_000, scale < 1e15 { scale *= 10 }
    return "\((value * scale).rounded() / scale)"
  }

  static func columns(_ rows: [[String]]) -> [String] {
    let count = rows.map(\.count).max() ?? 0
    let widths = (0..<count).map { column in
      rows.compactMap { $0.indices.contains(column) ? $0[column].count : nil }.max() ?? 0
    }
    return rows.map { row in
      let cells = zip(row, widths).map { $0.padded(to: $1) }
      var line = cells.joined(separator: "  ")
      while line.last == " " { line.removeLast() }
      return line
    }
  }
}
