import Formats
import Models
import Release
import Search
import Verify

extension FuzzTarget {
  static func readResult(_ bytes: [UInt8]) throws(FuzzFinding) {
    guard let json = try? JSONDocument(parsing: bytes).value,
      var document = try? ResultDocument(json: json, subject: "")
    else { return }
    guard let again = try? ResultDocument(json: document.json, subject: "") else {
      throw FuzzFinding("what is written can be read")
    }
    try FuzzFinding.require(again.json == document.json, "what is read is written again")
    document.verdicts = document.savedGates.prefix(8).compactMap { text in
      (try? Gate(text)).map { document.measured.judge($0) }
    }
    for format in ReportFormat.allCases { _ = format.text(of: document, before: again) }
    _ = try? ResultDocument.merged([("a", document), ("b", again)])
    _ = try? document.compare(withBefore: again, named: "before")
  }

  static func readCheckpoint(_ bytes: [UInt8]) {
    let end = "\n\(sha256(bytes))\n"
    _ = try? Checkpoint(path: FuzzBench.shared.put(bytes + Array(end.utf8), "search.checkpoint"))
  }

  static func readCard(_ bytes: [UInt8]) throws(FuzzFinding) {
    guard let card = try? ModelCard(parsing: bytes, subject: "") else { return }
    let result = CardResult(metric: "perplexity", name: "perplexity at 512 tokens", value: 3.5)
    for section in ["", "m.gguf"] {
      let update = ModelCard.Update(
        baseModel: "org/base", tags: ["long-context", "longrope"], model: "mine",
        results: [result], section: section, text: ["## Context window", "", "Text."])
      guard let edited = try? card.updated(update) else { continue }
      guard let again = try? ModelCard(parsing: edited, subject: "") else {
        throw FuzzFinding("a card that was written can be read")
      }
      try FuzzFinding.require((try? again.updated(update)) == edited, "an update repeats nothing")
    }
  }
}
