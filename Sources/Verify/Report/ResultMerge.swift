import Formats
import Models
import Patch

extension ResultDocument {
  /// Merges several results into one: the parts of a grid, or runs of different tasks.
  /// - Parameter documents: each with the name of its file.
  /// - Throws: `ModelError` if they have different models or methods, if a part is missing or
  ///   occurs twice, or if two have measured the same.
  public static func merged(
    _ documents: [(name: String, document: ResultDocument)]
  ) throws -> ResultDocument {
    guard var result = documents.first?.document, let first = documents.first?.name else {
      throw ModelError.unsupported("report", "no results")
    }
    try requireAllParts(documents)
    for (name, other) in documents.dropFirst() { try result.add(other, name, to: first) }
    if documents.count > 1 || result.shard == "1/1" { result.shard = nil }
    return result
  }

  /// - Parameters:
  ///   - name: the other result's file.
  ///   - first: the file to which it is added.
  private mutating func add(_ other: ResultDocument, _ name: String, to first: String) throws {
    try requireSameModel(as: other, name, first)
    try provenance.add(other.provenance, name)
    addTexts(of: other)
    if plan != other.plan { plan = .null }
    savedGates += other.savedGates.filter { !savedGates.contains($0) }
    if inspection.isNull { inspection = other.inspection }
    try measured.add(other.measured, name)
    isComplete = isComplete && other.isComplete
    let known = Set(unfollowed.map(\.runtime))
    unfollowed += other.unfollowed.filter { !known.contains($0.runtime) }
  }

  private func requireSameModel(
    as other: ResultDocument, _ name: String, _ first: String
  ) throws {
    // The same files are the same model, wherever they are.
    let isSame = provenance.hasFiles(of: other.provenance)
    let (window, otherWindow) = (measured.originalWindow, other.measured.originalWindow)
    for (what, a, b) in [
      ("model", model, isSame ? model : other.model), ("version", version, other.version),
      ("original window", "\(window)", "\(otherWindow)"),
    ] where a != b {
      throw ModelError.unsupported(name, "its \(what) is \(b), that of \(first) \(a)")
    }
    if let condition = method.difference(from: other.method) {
      throw ModelError.unsupported(
        name,
        "was measured with \(condition) \(other.method[condition]?.summary ?? "unknown"), \(first) with \(method[condition]?.summary ?? "unknown")"
      )
    }
    guard
      inspection.isNull || other.inspection.isNull
        || inspection.withoutPaths == other.inspection.withoutPaths
    else {
      throw ModelError.unsupported(
        name, "its factors, windows or runtimes are not those of \(first)")
    }
  }

  /// Different tasks may have different texts; the method names all of them.
  private mutating func addTexts(of other: ResultDocument) {
    guard case .object(var members) = method,
      let index = members.firstIndex(where: { $0.name == "texts" })
    else { return }
    let own = members[index].value.elements ?? []
    let others = other.method["texts"]?.elements ?? []
    members[index].value = .array(own + others.filter { !own.contains($0) })
    method = .object(members)
  }

  /// A grid in N parts takes each of them once.
  private static func requireAllParts(
    _ documents: [(name: String, document: ResultDocument)]
  ) throws {
    let parts = documents.compactMap { item in
      item.document.shard.map { (name: item.name, part: $0) }
    }
    guard !parts.isEmpty else { return }
    if let whole = documents.first(where: { $0.document.shard == nil }) {
      throw ModelError.unsupported(whole.name, "is a whole result among parts")
    }
    let shards = try parts.map { name, text in
      guard let shard = TaskGrid.Shard(text) else {
        throw ModelError.unsupported(name, "'\(text.sanitized)' is not a part, such as 2/8")
      }
      return (name: name, shard: shard)
    }
    let count = shards[0].shard.count
    for (name, shard) in shards where shard.count != count {
      throw ModelError.unsupported(name, "is one of \(shard.count) parts, others are of \(count)")
    }
    var seen: [Int: String] = [:]
    for (name, shard) in shards {
      if let other = seen[shard.number] {
        throw ModelError.unsupported(name, "is part \(shard.number)/\(count), and so is \(other)")
      }
      seen[shard.number] = name
    }
    let missing = (1...count).filter { seen[$0] == nil }
    guard missing.isEmpty else {
      let list = missing.map(String.init).joined(separator: ", ")
      throw ModelError.unsupported(
        "report", "of \(count) parts, \(list) \(missing.count == 1 ? "is" : "are") missing")
    }
  }
}

extension JSONValue {
  /// An inspection without the model's path and the advice that contains it.
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
  /// Whether both name the same files, at least one.
  fileprivate func hasFiles(of other: Self) -> Bool {
    !files.isEmpty && files.sorted { $0.name < $1.name } == other.files.sorted { $0.name < $1.name }
  }

  /// - Throws: `ModelError` if two files of the same name differ.
  fileprivate mutating func add(_ other: Self, _ name: String) throws {
    for (what, own, others) in [
      ("the model's", files, other.files), ("the given", inputs, other.inputs),
    ] {
      let known = Dictionary(own.map { ($0.name, $0.sha256) }) { first, _ in first }
      for file in others where known[file.name, default: file.sha256] != file.sha256 {
        throw ModelError.unsupported(
          name, "\(what) file \(file.name) had other bytes, of SHA-256 \(file.sha256.prefix(12))..."
        )
      }
    }
    let names = Set(files.map(\.name)).symmetricDifference(other.files.map(\.name))
    if !files.isEmpty, !other.files.isEmpty, let odd = names.min() {
      throw ModelError.unsupported(
        name, "the model had other files: \(odd) was there for only one of the results")
    }
    if files.isEmpty { files = other.files }
    inputs += other.inputs.filter { !inputs.contains($0) }
    runs += other.runs.filter { !runs.contains($0) }
  }
}

extension JSONValue {
  /// The first setting by which the numbers of two methods are not comparable, or nil.
  ///
  /// Texts may differ, since tasks may differ.
  fileprivate func difference(from other: JSONValue) -> String? {
    let own = [
      "factors", "baseline", "compares_everywhere", "baseline_cache", "self_extend", "dynamic_ntk",
    ]
    return (ResultDocument.conditions + own).first {
      (self[$0] ?? .null) != (other[$0] ?? .null)
    }
  }
}

extension Measurements {
  /// - Throws: `ModelError` for a measurement that is there already.
  fileprivate mutating func add(_ other: Measurements, _ name: String) throws {
    if let what = duplicate(in: other) {
      throw ModelError.unsupported(name, "\(what) is there already, from another result")
    }
    passkeys += other.passkeys
    baselinePasskeys += other.baselinePasskeys
    answers += other.answers
    perplexities += other.perplexities
    retentions += other.retentions
    crossings += other.crossings
    for result in other.benchmarks { try add(result, name) }
    for item in other.skipped where !skipped.contains(item) { skipped.append(item) }
    missing.merge(other.missing) { $0 + $1 }
  }

  /// Adds the answers of another part to those of the same benchmark and runtime.
  private mutating func add(_ result: BenchmarkResult, _ name: String) throws {
    guard
      let index = benchmarks.firstIndex(where: {
        $0.benchmark == result.benchmark && $0.runtime == result.runtime
      })
    else { return benchmarks.append(result) }
    let known = benchmarks[index]
    guard known.shots == result.shots, known.promptDigest == result.promptDigest else {
      throw ModelError.unsupported(
        name, "its answers to \(result.benchmark.name) are to other questions or examples")
    }
    benchmarks[index].documents = (known.documents + result.documents).sorted {
      $0.number < $1.number
    }
  }

  /// The first measurement that both have, in words.
  private func duplicate(in other: Measurements) -> String? {
    for item in other.passkeys
    where passkeys.contains(where: { $0.runtime == item.runtime && $0.cell == item.cell }) {
      return "the passkey of \(item.runtime) at \(item.cell.length), depth \(item.cell.depth)"
    }
    for item in other.answers
    where answers.contains(where: {
      $0.task == item.task && $0.runtime == item.runtime && $0.cell == item.cell
    }) {
      return "\(item.task) of \(item.runtime) at \(item.cell.length)"
    }
    for item in other.perplexities
    where perplexities.contains(where: {
      $0.text == item.text && $0.result.runtime == item.result.runtime
        && $0.result.length == item.result.length
    }) {
      return "the perplexity of \(item.result.runtime) at \(item.result.length)"
    }
    for item in other.retentions
    where retentions.contains(where: { $0.runtime == item.runtime && $0.length == item.length }) {
      return "the retention of \(item.runtime) at \(item.length)"
    }
    for item in other.crossings
    where crossings.contains(where: { $0.runtime == item.runtime && $0.length == item.length }) {
      return "the crossing of \(item.runtime)"
    }
    for item in other.benchmarks {
      let own = benchmarks.first { $0.benchmark == item.benchmark && $0.runtime == item.runtime }
      let known = Set(own?.documents.map(\.number) ?? [])
      if let document = item.documents.first(where: { known.contains($0.number) }) {
        return "question \(document.number) of \(item.benchmark.name) of \(item.runtime)"
      }
    }
    return nil
  }
}
