import Formats
import Patch

extension ResultDocument {
  /// One result of several: the parts of a grid, or runs of different tasks.
  /// - Parameter documents: each with the name of its file.
  /// - Throws: `VerifyError` where they are of different models or methods, where a part is missing or there twice, or where
  ///   two have measured the same.
  public static func merged(_ documents: [(name: String, document: ResultDocument)]) throws -> ResultDocument {
    guard var result = documents.first?.document, let first = documents.first?.name else {
      throw VerifyError("report", "no results")
    }
    try requireAllParts(documents)
    for (name, other) in documents.dropFirst() {
      for (what, a, b) in [
        // The same files are the same model, wherever they stand.
        ("model", result.model, result.provenance.hasFiles(of: other.provenance) ? result.model : other.model),
        ("version", result.version, other.version),
        ("original window", "\(result.measured.originalWindow)", "\(other.measured.originalWindow)"),
      ] where a != b {
        throw VerifyError(name, "its \(what) is \(b), that of \(first) \(a)")
      }
      guard result.method.isComparable(with: other.method) else {
        throw VerifyError(
          name, "was measured by another method (precision, seed, prompts, texts, factors) than \(first)")
      }
      try result.provenance.add(other.provenance, name)
      result.addTexts(of: other)
      result.savedGates += other.savedGates.filter { !result.savedGates.contains($0) }
      guard
        result.inspection.isNull || other.inspection.isNull
          || result.inspection.withoutPaths == other.inspection.withoutPaths
      else {
        throw VerifyError(name, "its factors, windows or runtimes are not those of \(first)")
      }
      if result.inspection.isNull { result.inspection = other.inspection }
      try result.measured.add(other.measured, name)
      result.isComplete = result.isComplete && other.isComplete
      for entry in other.unfollowed where !result.unfollowed.contains(where: { $0.runtime == entry.runtime }) {
        result.unfollowed.append(entry)
      }
    }
    if documents.count > 1 || result.shard == "1/1" { result.shard = nil }
    return result
  }

  /// Of different tasks the texts may differ; the method names all.
  private mutating func addTexts(of other: ResultDocument) {
    guard case .object(var members) = method, let index = members.firstIndex(where: { $0.name == "texts" }) else {
      return
    }
    let own = members[index].value.elements ?? []
    members[index].value = .array(own + (other.method["texts"]?.elements ?? []).filter { !own.contains($0) })
    method = .object(members)
  }

  /// A grid in N parts takes each of them once.
  private static func requireAllParts(_ documents: [(name: String, document: ResultDocument)]) throws {
    let parts = documents.compactMap { item in item.document.shard.map { (name: item.name, part: $0) } }
    guard !parts.isEmpty else { return }
    if let whole = documents.first(where: { $0.document.shard == nil }) {
      throw VerifyError(whole.name, "is a whole result among parts")
    }
    let shards = try parts.map { name, text in
      guard let shard = Campaign.Shard(text) else { throw VerifyError(name, "'\(text.sanitized)' is no part") }
      return (name: name, shard: shard)
    }
    let count = shards[0].shard.count
    for (name, shard) in shards where shard.count != count {
      throw VerifyError(name, "is one of \(shard.count) parts, others are of \(count)")
    }
    var seen: [Int: String] = [:]
    for (name, shard) in shards {
      if let other = seen[shard.number] {
        throw VerifyError(name, "is part \(shard.number)/\(count), and so is \(other)")
      }
      seen[shard.number] = name
    }
    let missing = (1...count).filter { seen[$0] == nil }
    guard missing.isEmpty else {
      throw VerifyError(
        "report",
        "of \(count) parts, \(missing.map(String.init).joined(separator: ", ")) \(missing.count == 1 ? "is" : "are") missing"
      )
    }
  }
}

extension JSONValue {
  /// An inspection without the model's path, and advice that names it.
  fileprivate var withoutPaths: JSONValue {
    guard case .object(let members) = self else { return self }
    return .object(
      members.filter { $0.name != "model" && $0.name != "serve" }.map { member in
        guard case .array(let elements) = member.value else { return member }
        return JSONMember(member.name, .array(elements.map(\.withoutPaths)))
      })
  }
}

extension ResultDocument.Provenance {
  /// Whether both have the same files, some at least.
  fileprivate func hasFiles(of other: Self) -> Bool {
    !files.isEmpty && files.sorted { $0.name < $1.name } == other.files.sorted { $0.name < $1.name }
  }

  /// - Throws: `VerifyError` where a file of the same name is another one.
  fileprivate mutating func add(_ other: Self, _ name: String) throws {
    for (what, own, others) in [("the model's", files, other.files), ("the given", inputs, other.inputs)] {
      let known = Dictionary(own.map { ($0.name, $0.sha256) }) { first, _ in first }
      for file in others where known[file.name, default: file.sha256] != file.sha256 {
        throw VerifyError(name, "\(what) file \(file.name) had other bytes, of SHA-256 \(file.sha256.prefix(12))...")
      }
    }
    let names = Set(files.map(\.name)).symmetricDifference(other.files.map(\.name))
    if !files.isEmpty, !other.files.isEmpty, let odd = names.min() {
      throw VerifyError(name, "the model had other files: \(odd) was only there for one of the results")
    }
    if files.isEmpty { files = other.files }
    inputs += other.inputs.filter { !inputs.contains($0) }
    runs += other.runs.filter { !runs.contains($0) }
  }
}

extension JSONValue {
  /// Texts may be different ones where different tasks were run.
  fileprivate func isComparable(with other: JSONValue) -> Bool {
    ["precision", "seed", "passkey_prompt", "perplexity", "stride", "windows", "bos", "factors", "baseline"].allSatisfy
    {
      self[$0] == other[$0]
    }
  }
}

extension Measurements {
  /// - Throws: `VerifyError` for a result that is there already.
  fileprivate mutating func add(_ other: Measurements, _ name: String) throws {
    func refuse(_ what: String) -> VerifyError { VerifyError(name, "\(what) is there already, from another result") }
    for item in other.passkeys {
      guard !passkeys.contains(where: { $0.runtime == item.runtime && $0.cell == item.cell }) else {
        throw refuse("the passkey of \(item.runtime) at \(item.cell.length), depth \(item.cell.depth)")
      }
    }
    for item in other.answers {
      guard !answers.contains(where: { $0.task == item.task && $0.runtime == item.runtime && $0.cell == item.cell })
      else { throw refuse("\(item.task) of \(item.runtime) at \(item.cell.length)") }
    }
    for item in other.perplexities {
      let isThere = perplexities.contains {
        $0.text == item.text && $0.result.runtime == item.result.runtime && $0.result.length == item.result.length
      }
      guard !isThere else { throw refuse("the perplexity of \(item.result.runtime) at \(item.result.length)") }
    }
    for item in other.retentions {
      guard !retentions.contains(where: { $0.runtime == item.runtime && $0.length == item.length }) else {
        throw refuse("the retention of \(item.runtime) at \(item.length)")
      }
    }
    for item in other.crossings {
      guard !crossings.contains(where: { $0.runtime == item.runtime && $0.length == item.length }) else {
        throw refuse("the crossing of \(item.runtime)")
      }
    }
    passkeys += other.passkeys
    answers += other.answers
    perplexities += other.perplexities
    retentions += other.retentions
    crossings += other.crossings
    for item in other.skipped where !skipped.contains(item) { skipped.append(item) }
    missing.merge(other.missing) { $0 + $1 }
  }
}
