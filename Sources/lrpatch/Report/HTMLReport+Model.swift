import Formats
import Patch
import Verify

/// The model itself: its factors, what runtimes make of it, and where the numbers come from. All of it is read from the
/// saved result, whose inspection is that of `lrpatch inspect --json`; a member that is missing is not shown.
extension HTMLReport {
  private var inspection: JSONValue { document.inspection }

  // MARK: Factors

  var factors: [String] {
    guard let long = inspection["factors"]?["long"]?.doubles, !long.isEmpty else { return [] }
    let short = inspection["factors"]?["short"]?.doubles ?? []
    let mscale = inspection["factors"]?["mscale"]
    let critical = inspection["rope"]?["theoretical_critical_pair"]?.integer
    var facts = [
      "Window \(Self.shown(inspection["rope"]?["window"])) tokens, originally \(Self.shown(inspection["rope"]?["original_window"])).",
      "mscale \(Self.shown(mscale?["long"])) for long inputs, \(Self.shown(mscale?["short"])) for short ones.",
    ]
    if let critical {
      facts.append("Critical pair \(critical): the first that does not turn fully within the original window.")
    }
    let plot = LinePlot(
      title: "rescale factor", ylabel: "", isLogarithmic: false,
      series: [("long", long), ("short", short)].filter { !$0.1.isEmpty }, levels: [],
      marks: critical.map { [($0, "critical")] } ?? [])
    let rows = long.indices.map { pair in
      [
        String(pair), InspectReport.number(long[pair]),
        short.indices.contains(pair) ? InspectReport.number(short[pair]) : "-",
      ]
    }
    return [
      "<h2>Factors</h2>", "<p>\(XML.escaped(facts.joined(separator: " ")))</p>",
      "<figure><svg viewBox=\"0 0 \(SVG.number(LinePlot.width)) \(SVG.number(LinePlot.height))\" role=\"img\" aria-label=\"Rescale factors by rotary pair\"><title>Rescale factors by rotary pair</title>\n\(plot.body(at: 0))\n</svg></figure>",
      "<details><summary>The numbers</summary>\n\(Self.table(["pair", "long", "short"], rows))\n</details>",
    ]
  }

  private static func shown(_ value: JSONValue?) -> String {
    value?.double.map(InspectReport.number) ?? value?.text ?? "unknown"
  }

  // MARK: Runtimes

  var runtimes: [String] {
    let readings = inspection["runtimes"]?.elements ?? []
    guard !readings.isEmpty else { return [] }
    let rows = readings.map { reading in
      [
        Self.shown(reading["runtime"]), Self.shown(reading["status"]), Self.use(reading["short"]),
        Self.use(reading["long"]), Self.text(reading["switch"]), Self.text(reading["serve"]),
        (reading["notes"]?.elements ?? []).compactMap { $0.text }.joined(separator: "; "),
      ]
    }
    let table = Self.table(["runtime", "status", "short input", "long input", "switch", "to serve", "notes"], rows)
    return ["<h2>What each runtime uses</h2>", "<div class=\"words\">\(table)</div>"]
  }

  private static func text(_ value: JSONValue?) -> String { value?.text ?? "" }

  private static func use(_ table: JSONValue?) -> String {
    guard let table, !table.isNull else { return "-" }
    return "\(shown(table["table"])) x \(shown(table["mscale"]))"
  }

  // MARK: Provenance

  var provenance: [String] {
    let method =
      [["lrpatch", document.version]]
      + (document.method.members ?? []).map { member in
        [
          member.name,
          member.value.text ?? member.value.elements?.compactMap(\.text).joined(separator: ", ")
            ?? member.value.summary,
        ]
      }
    var parts = ["<h2>How it was measured</h2>", Self.table(["setting", "value"], method)]
    let saved = document.provenance
    if !saved.runs.isEmpty {
      let rows = saved.runs.map { [$0.command.map(\.shellQuoted).joined(separator: " "), $0.processor, $0.system] }
      parts += ["<div class=\"words\">\(Self.table(["command", "processor", "system"], rows))</div>"]
    }
    if !saved.files.isEmpty {
      parts += ["<h2>Files</h2>"]
      parts += [("of the model", saved.files), ("given", saved.inputs)].filter { !$0.1.isEmpty }.map(Self.files)
    }
    return parts
  }

  private static func files(_ caption: String, _ files: [ModelManifest.File]) -> String {
    let rows = files.map { [$0.name, String($0.size), $0.sha256] }
    return "<div class=\"hash\">\(table(["file", "bytes", "SHA-256"], rows, caption: caption))</div>"
  }
}
