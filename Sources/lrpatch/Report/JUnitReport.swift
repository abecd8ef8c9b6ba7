import Verify

/// A result as JUnit's XML: a case for each gate, which fails with it, and one for each cell, which says what was found.
struct JUnitReport {
  let document: ResultDocument

  /// Of every such file.
  static let beginning = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"lrpatch verify "

  var text: String {
    let gates = document.verdicts.map { verdict in
      Self.testCase(
        verdict.gate.text, "gates", failure: verdict.passes ? nil : ResultTables.place(verdict),
        output: ResultTables.place(verdict))
    }
    let passkeys = document.measured.passkeys.map { result in
      Self.testCase(
        "\(result.runtime) at \(result.cell.length), depth \(result.cell.depth), sample \(result.cell.sample)",
        "passkey",
        output: "\(result.isExact ? "found" : "not found"), margin \(result.margin)")
    }
    let answers = document.measured.answers.map { result in
      Self.testCase(
        "\(result.runtime) at \(result.cell.length), depth \(result.cell.depth), sample \(result.cell.sample)",
        result.task,
        output: "score \(result.score)")
    }
    let perplexities = document.measured.perplexities.map { named in
      Self.testCase(
        "\(named.result.runtime) at \(named.result.length), \(named.text)", "perplexity",
        output: "\(named.result.value)")
    }
    let suites = [("gates", gates), ("cells", passkeys + answers + perplexities)].filter { !$0.1.isEmpty }
    let failures = document.verdicts.count { !$0.passes }
    let count = suites.reduce(0) { $0 + $1.1.count }
    let body = suites.map { name, cases in
      "  <testsuite name=\"\(name)\" tests=\"\(cases.count)\" failures=\"\(name == "gates" ? failures : 0)\" errors=\"0\" skipped=\"0\" time=\"0\">\n\(cases.joined())  </testsuite>\n"
    }
    return """
      <?xml version="1.0" encoding="UTF-8"?>
      <testsuites name="lrpatch verify \(XML.escaped(document.model))" tests="\(count)" failures="\(failures)" errors="0" time="0">
      \(body.joined())</testsuites>

      """
  }

  private static func testCase(
    _ name: String, _ group: String, failure: String? = nil, output: String
  ) -> String {
    let failed =
      failure.map { "      <failure message=\"\(XML.escaped($0))\" type=\"gate\">\(XML.escaped($0))</failure>\n" } ?? ""
    return """
          <testcase classname="lrpatch.\(XML.escaped(group))" name="\(XML.escaped(name))" time="0">
      \(failed)      <system-out>\(XML.escaped(output))</system-out>
          </testcase>

      """
  }
}

/// Text in XML and HTML.
enum XML {
  /// Characters that XML does not have become U+FFFD.
  static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "\t", "\n", "\r": result.unicodeScalars.append(scalar)
      case "\u{0}"..."\u{1F}", "\u{FFFE}", "\u{FFFF}": result += "\u{FFFD}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
