extension Benchmark {
  /// GSM8K: sums in words, of which the model writes the solution.
  ///
  /// Source: lm-eval's gsm8k; Cobbe et al., arXiv 2110.14168.
  static let gsm8k = Benchmark(
    name: "gsm8k", scores: [.strictMatch, .flexibleExtract],
    rows: "openai/gsm8k: question, answer (ends with #### and a number)",
    examples: .drawn(others: false), defaultShots: 5
  ) { row in
    let (question, answer) = (try row.text("question"), try row.text("answer"))
    guard answer.contains("#### ") else {
      throw row.wrong("answer", "a solution that ends with #### and a number")
    }
    let prompt = "Question: \(question)\nAnswer:"
    return BenchmarkQuestion(
      form: .open(prompt: prompt, answer: answer), example: "\(prompt) \(answer)\n\n")
  }
}
