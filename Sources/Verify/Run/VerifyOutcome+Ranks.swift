import Formats

extension VerifyOutcome {
  /// Puts what all processes have measured into the outcome of the first.
  /// - Throws: `ModelError` if a process is lost.
  mutating func gather(_ ranks: Ranks) throws {
    if ranks.isAlone { return }
    var reasons = EarlyStop.allCases.map { $0 == stop ? 1.0 : 0 }
    try ranks.sum(&reasons)
    stop = zip(EarlyStop.allCases, reasons).first { $0.1 > 0 }?.0
    let results = try ranks.gather(JSONStyle.standard.encode(document.json))
    guard ranks.isFirst else { return }
    let documents = try results.enumerated().map { rank, bytes in
      let name = "the result of rank \(rank)"
      return (name, try ResultDocument(json: JSONDocument(parsing: bytes).value, subject: name))
    }
    measured = try ResultDocument.merged(documents).measured
  }
}
