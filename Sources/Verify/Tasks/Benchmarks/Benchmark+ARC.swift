extension Benchmark {
  /// The easy questions of the AI2 Reasoning Challenge.
  static let arcEasy = arc("arc_easy", "ARC-Easy")
  /// The difficult questions of the AI2 Reasoning Challenge.
  static let arcChallenge = arc("arc_challenge", "ARC-Challenge")

  /// Questions about science, with the choices as whole answers.
  ///
  /// The authors' own files nest the question; allenai/ai2_arc does not.
  ///
  /// Source: lm-eval's arc; Clark et al., arXiv 1803.05457.
  private static func arc(_ name: String, _ part: String) -> Benchmark {
    Benchmark(
      name: name, scores: [.normalizedAccuracy, .accuracy],
      rows: "allenai/ai2_arc \(part): question, choices (text, label), answerKey",
      examples: .drawn(others: false)
    ) { row in
      let (question, texts, labels): (String, [String], [String])
      if row.hasObject("question") {
        let stem = try row.row("question")
        let choices = try stem.rows("choices")
        question = try stem.text("stem")
        texts = try choices.map { try $0.text("text") }
        labels = try choices.map { try $0.text("label") }
      } else {
        let choices = try row.row("choices")
        question = try row.text("question")
        texts = try choices.texts("text")
        labels = try choices.texts("label", count: texts.count)
      }
      return BenchmarkQuestion(
        "Question: \(question)\nAnswer:", choices: texts,
        right: try row.index("answerKey", of: labels))
    }
  }
}
