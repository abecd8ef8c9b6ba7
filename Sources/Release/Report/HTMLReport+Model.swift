import Formats
import Patch
import Verify

/// The model itself: its factors, what the runtimes make of it, and where the numbers come from.
///
/// All of it is read from the saved result, whose inspection is that of `lrpatch inspect --json`. A
/// member that is missing is not shown.
extension HTMLReport {
  var inspection: JSONValue { document.inspection }

  // MARK: Factors

  var factors: [String] {
    guard let long = inspection["factors"]?["long"]?.doubles, !long.isEmpty else { return [] }
    let short = inspection["factors"]?["short"]?.doubles ?? []
    let critical = inspection["rope"]?["theoretical_critical_pair"]?.integer
    let plot = LinePlot(
      title: "rescale factor by rotary pair", ylabel: "factor", isLogarithmic: true,
      series: [("long", long), ("short", short)].filter { !$0.1.isEmpty } + references(long.count),
      marks: critical.map { [($0, "critical")] } ?? [], isStepped: true)
    let rows = long.indices.map { pair in
      [
        String(pair), long[pair].sixDigits,
        short.indices.contains(pair) ? short[pair].sixDigits : "-",
      ]
    }
    return [
      "<h2>Factors</h2>", "<p>\(XML.escaped(facts(critical).joined(separator: " ")))</p>",
      HTML.plot(plot, title: "Rescale factors by rotary pair"),
      """
      <details><summary>The numbers</summary>
      \(HTML.table(["pair", "long", "short"], rows))
      </details>
      """,
    ]
  }

  /// PI and YaRN for the same windows, to compare the factors with.
  private func references(_ pairs: Int) -> [(name: String, values: [Double])] {
    let rope = inspection["rope"]
    guard let theta = rope?["theta"]?.double, let dimensions = rope?["rotary_dimensions"]?.integer,
      let original = rope?["original_window"]?.integer, let window = rope?["window"]?.integer,
      dimensions == 2 * pairs, window > original
    else { return [] }
    let settings = ClosedForm.Settings(
      theta: theta, rotaryDimensions: dimensions, originalWindow: original, window: window)
    return [("PI", ClosedForm.pi.factors(settings)), ("YaRN", ClosedForm.yarn.factors(settings))]
  }

  private func facts(_ critical: Int?) -> [String] {
    let (rope, mscale) = (inspection["rope"], inspection["factors"]?["mscale"])
    let (window, original) = (Self.shown(rope?["window"]), Self.shown(rope?["original_window"]))
    let (long, short) = (Self.shown(mscale?["long"]), Self.shown(mscale?["short"]))
    return [
      "Window \(window) tokens, originally \(original).",
      "mscale \(long) for long inputs, \(short) for short ones.",
    ]
      + (critical.map {
        [
          """
          Critical pair \($0): the first that does not complete a turn within the original window.
          """
        ]
      } ?? [])
  }

  static func shown(_ value: JSONValue?) -> String {
    value?.double.map(\.sixDigits) ?? value?.text ?? "unknown"
  }

  // MARK: Provenance

  var provenance: [String] { measurement + files }

  /// The settings and the commands of the measurement.
  var measurement: [String] {
    let method = (document.method.members ?? []).filter { $0.value != .null }
      .map { [$0.name, Self.setting($0.value)] }
    return [
      "<h2>How it was measured</h2>",
      HTML.table(["setting", "value"], [["lrpatch", document.version]] + method, of: .words),
    ] + commands
  }

  private static func setting(_ value: JSONValue) -> String {
    value.text ?? value.elements?.compactMap(\.text).joined(separator: ", ")
      ?? value.members?.map { "\($0.name) \(setting($0.value))" }.joined(separator: ", ")
      ?? value.summary
  }

  private var commands: [String] {
    let runs = document.provenance.runs
    guard !runs.isEmpty else { return [] }
    let items = runs.map { run in
      let command = XML.escaped(run.command.map(\.shellQuoted).joined(separator: " "))
      return "<li><code>\(command)</code><br>\(XML.escaped("\(run.processor), \(run.system)"))</li>"
    }
    return ["<ul>\(items.joined(separator: "\n"))</ul>"]
  }

  private var files: [String] {
    let saved = document.provenance
    guard !saved.files.isEmpty else { return [] }
    let tables = [("of the model", saved.files), ("given", saved.inputs)].filter { !$0.1.isEmpty }
    return ["<h2>Files</h2>"]
      + tables.map { caption, files in HTML.files(files, caption: caption) }
  }
}
