import Formats

/// What each runtime does with the model, and the command that serves it.
extension HTMLReport {
  private typealias Group = (names: [String], value: [String])

  var runtimes: [String] {
    let readings = inspection["runtimes"]?.elements ?? []
    guard !readings.isEmpty else { return [] }
    let header = ["runtime", "status", "short input", "long input", "switch", "notes"]
    let rows = Self.alike(readings, Self.cells).map { group in
      ["<tr>", HTML.rowHeading(group.names.joined(separator: ", "))].joined()
        + group.value.map { "<td>\(XML.escaped($0))</td>" }.joined() + "</tr>"
    }
    let table = HTML.table(head: header.map(XML.escaped), body: rows, of: .words)
    return ["<h2>What each runtime uses</h2>", table] + serving(readings)
  }

  /// The commands, each for all runtimes that it serves.
  private func serving(_ readings: [JSONValue]) -> [String] {
    let known = readings.filter { $0["serve"]?.text?.isEmpty == false }
    guard !known.isEmpty else { return [] }
    let rows = Self.alike(known) { [$0["serve"]?.text ?? ""] }.map { group in
      let text = XML.escaped(group.value[0])
      let command = group.value[0].hasPrefix("nothing") ? text : "<code>\(text)</code>"
      return
        "<tr>\(HTML.rowHeading(group.names.joined(separator: ", ")))<td>\(command)</td></tr>"
    }
    let table = HTML.table(head: ["runtime", "to serve the whole window"], body: rows, of: .words)
    return ["<h2>How to serve it</h2>", table]
  }

  /// Groups of runtimes with equal cells, in the order of their first members.
  private static func alike(
    _ readings: [JSONValue], _ cells: (JSONValue) -> [String]
  ) -> [Group] {
    readings.reduce(into: []) { groups, reading in
      let (name, own) = (shown(reading["runtime"]), cells(reading))
      if let index = groups.firstIndex(where: { $0.value == own }) {
        groups[index].names.append(name)
      } else {
        groups.append(([name], own))
      }
    }
  }

  private static func cells(_ reading: JSONValue) -> [String] {
    let notes = (reading["notes"]?.elements ?? []).compactMap { $0.text }
    return [
      shown(reading["status"]), use(reading["short"]), use(reading["long"]),
      reading["switch"]?.text ?? "", notes.joined(separator: "; "),
    ]
  }

  private static func use(_ table: JSONValue?) -> String {
    guard let table, !table.isNull else { return "-" }
    return "\(shown(table["table"])) x \(shown(table["mscale"]))"
  }
}
