extension Benchmark {
  /// HellaSwag: the likeliest of four endings.
  ///
  /// Source: lm-eval's hellaswag; Zellers et al., arXiv 1905.07830.
  static let hellaswag = Benchmark(
    name: "hellaswag", scores: [.normalizedAccuracy, .accuracy],
    rows: "Rowan/hellaswag: activity_label, ctx_a, ctx_b, endings (4 strings), label (0 to 3)",
    examples: .drawn(others: true)
  ) { row in
    let endings = try row.texts("endings")
    let context = try row.text("ctx_a") + " " + row.text("ctx_b").capitalizedAsInPython
    return BenchmarkQuestion(
      try withoutMarks("\(row.text("activity_label")): \(context)"),
      choices: endings.map(withoutMarks),
      right: try row.index("label", of: endings.indices.map(String.init)))
  }

  /// A text without the marks of WikiHow's articles in brackets.
  private static func withoutMarks(_ text: String) -> String {
    let titled = text.strippedAsInPython.replacingScalars(" [title]", with: ". ")
    var rest = titled.unicodeScalars[...]
    var kept = String.UnicodeScalarView()
    while let open = rest.firstIndex(of: "[") {
      let line = rest[open...].prefix { $0 != "\n" }
      guard let close = line.firstIndex(of: "]") else {
        // Another bracket may be closed, on a line further down.
        let next = rest.index(after: open)
        kept += rest[..<next]
        rest = rest[next...]
        continue
      }
      kept += rest[..<open]
      rest = rest[rest.index(after: close)...]
    }
    return String(kept + rest).replacingScalars("  ", with: " ")
  }
}
