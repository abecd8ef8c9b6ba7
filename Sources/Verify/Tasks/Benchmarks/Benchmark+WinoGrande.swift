extension Benchmark {
  /// WinoGrande by partial evaluation: how likely the end of the sentence is after each option.
  ///
  /// Source: lm-eval's winogrande; Sakaguchi et al., arXiv 1907.10641.
  static let winogrande = Benchmark(
    name: "winogrande", scores: [.accuracy],
    rows: "allenai/winogrande: sentence (with _), option1, option2, answer (1 or 2)",
    examples: .drawn(others: true)
  ) { row in
    let sentence = try row.text("sentence").unicodeScalars
    guard let blank = sentence.firstIndex(of: "_") else {
      throw row.wrong("sentence", "a sentence with _")
    }
    let end = String(sentence[sentence.index(after: blank)...]).strippedAsInPython
    let options = [try row.text("option1"), try row.text("option2")]
    let contexts = options.map { String(sentence[..<blank]) + $0 }
    let right = try row.index("answer", of: ["1", "2"])
    return BenchmarkQuestion(
      form: .choice(
        contexts.map {
          .init(context: $0, continuation: " " + end, characters: $0.unicodeScalars.count)
        }, right: right),
      example: "\(contexts[right]) \(end)\n\n")
  }
}
