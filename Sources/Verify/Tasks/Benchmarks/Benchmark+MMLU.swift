extension Benchmark {
  /// MMLU: four choices by their letters, about many subjects.
  ///
  /// Source: lm-eval's mmlu/default; Hendrycks et al., arXiv 2009.03300.
  static let mmlu = Benchmark(
    name: "mmlu", scores: [.accuracy],
    rows: "cais/mmlu: question, subject, choices (4 strings), answer (0 to 3)", examples: .first
  ) { row in
    let letters = ["A", "B", "C", "D"]
    let (subject, choices) = (try row.text("subject"), try row.texts("choices", count: 4))
    let text = zip(letters, choices).reduce(try row.text("question").strippedAsInPython) {
      "\($0)\n\($1.0). \($1.1)"
    }
    let indices = letters.indices.map(String.init)
    let right = try row.index("answer", of: indices + letters) % letters.count
    var question = BenchmarkQuestion("\(text)\nAnswer:", choices: letters, right: right)
    let topic = subject.replacingScalars("_", with: " ")
    question.introduction =
      "The following are multiple choice questions (with answers) about \(topic).\n\n"
    question.subject = subject
    return question
  }
}
